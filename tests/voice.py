"""How the lessons sound, in figures. They prove nothing about a text, but show when a page drifts.

    python tests/voice.py                 # a line for each lesson and the map, and one for all of them
    python tests/voice.py HEAD~20         # the same of a commit, to compare

Counted is what is read aloud: Markdown cells without headings, tables, pictures, listings and the bodies of HTML tags. A span of code is one word.
"""
import json, re, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
COLUMNS = ['words', 'a sentence', 'you', 'we', 'because', 'for example', 'semicolons']
PER_1000 = {'you': r"\b(?:you|your|yours|yourself|you'\w+)\b", 'we': r"\b(?:we|us|our|ours|let's|we'\w+)\b", 'because': r'\b(?:because|since)\b',
            'for example': r'\bfor (?:example|instance)\b', 'semicolons': ';'}

def pages(rev=None):
    "Text of each lesson and of the map, by name; of a commit, or of the working tree"
    if rev is None: return {p.stem: p.read_text(encoding='utf-8') for p in [*sorted((ROOT/'nbs').glob('[0-9]*.ipynb')), ROOT/'nbs'/'index.ipynb']}
    def git(*args): return subprocess.run(['git', '-C', str(ROOT), *args], capture_output=True, text=True, check=True).stdout
    names = [n for n in git('ls-tree', '--name-only', rev, 'nbs/').split() if re.fullmatch(r'nbs/(\d.*|index)\.ipynb', n)]
    return {Path(n).stem: git('show', f'{rev}:{n}') for n in names}

def prose(source):
    "What is read aloud of a Markdown cell: a list of paragraphs and list items"
    text = re.sub(r'^( *)(```|~~~).*?^\1\2', '', source, flags=re.M|re.S)
    text = re.sub(r'<!--.*?-->', '', text, flags=re.S)
    text = re.sub(r'\$\$.*?\$\$', '\n\n', text, flags=re.S)
    text = re.sub(r'!\[[^\]]*\]\([^)]*\)', '', text)
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', text)
    text = re.sub(r'`+[^`]+`+|\$[^$\n]+\$', 'code', text)
    text = re.sub(r'<[a-z/][^>]*>', '', text)
    text = '\n'.join('' if re.match(r'\s*(#|\|)', line) else line for line in text.splitlines())
    text = re.sub(r'^\s*(?:[-*]|\d+\.|>) ', '\n\n', text, flags=re.M)
    return [p for part in re.split(r'\n\s*\n', text) if (p := ' '.join(part.replace('*', '').split()))]

def sentences(paragraphs):
    "The sentences of some paragraphs; a paragraph's end ends one too"
    return [s for p in paragraphs for s in re.split(r'(?<=[.!?])[")”]*\s+(?=[\w"(“*])', p) if re.search(r'\w', s)]

def measure(paragraphs):
    "`COLUMNS` of some paragraphs"
    text = '\n'.join(paragraphs)
    n, m = len(re.findall(r"[\w’'.,%-]*\w[\w’'%-]*", text)), len(sentences(paragraphs))
    return [n, n/max(m,1), *(1000*len(re.findall(p, text, flags=re.I))/max(n,1) for p in PER_1000.values())]

def paragraphs_of(text): return [p for c in json.loads(text)['cells'] if c['cell_type']=='markdown' for p in prose(''.join(c['source']))]

def report(rev=None):
    "The table, as text"
    found = {name: paragraphs_of(text) for name,text in pages(rev).items()}
    rows = [(name, measure(ps)) for name,ps in found.items()] + [('all', measure(sum(found.values(), [])))]
    lines = [f"{'':22}" + ''.join(f'{c:>13}' for c in COLUMNS)]
    return '\n'.join(lines + [f'{name:22}{row[0]:13,}' + ''.join(f'{v:13.1f}' for v in row[1:]) for name,row in rows])

if __name__=='__main__': print(report(*sys.argv[1:2]))
