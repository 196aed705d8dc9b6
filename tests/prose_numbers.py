"""Numbers in the prose of lessons and map that no cell of their notebook prints, asserts or sets.

    python tests/prose_numbers.py            # prints them; ends with 1 if there are any

A number of the prose counts as bound if it is in the code of a cell, or if a number that a cell printed rounds to it, as it stands or as a percentage.
References ("lesson 05", "chapter 4", years in brackets) and what is in headings, links and code spans are left out, and so are numbers written as words,
what a reader is asked to try, and what the next lesson does. What is bound elsewhere, or is somebody else's figure, is listed in `prose_numbers.csv` with the reason.
"""
import csv, json, re, sys

from voice import ROOT, pages

LISTED = ROOT/'tests'/'prose_numbers.csv'    # notebook, number, reason
GROUPED, PLAIN = r'\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?', r'(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?'
NUMBER = re.compile(rf'(?<![\w.,/])[-−]?(?:{GROUPED}|\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?(?![\w]*\d)')
REFERENCES = [r'\blessons? \d\d\w?(?:(?:,| to| and|, and) \d\d\w?)*', r'\bchapter \d+', r'\bpart \d\b', r'\([^()]*\b(?:1[89]|20)\d\d\b[^()]*\)', r'\[\d\d\w?_\w+\]', r'\bsince version [\d.]+',
              r'\b(?:December|November) \d{4}', r'\bPython 3\.\d+', r'\b[A-Za-z]+-\d+(?:-\d+)*', r'\b\d+(?:-\d+)+\b(?=[^.]*\bnet)', r'\bCC BY-SA [\d.]+', r'\bSHA-256', r'\babout \d+ minutes to read']    # tests/test_prose.py counts the words

def plain(source):
    "Markdown without what holds no claims: headings, listings, code spans, links' targets, references"
    text = re.sub(r'^( *)(```|~~~).*?^\1\2', '', source, flags=re.M|re.S)
    text = re.sub(r'<!--.*?-->|^#.*$|^    .*$|`[^`]*`|!\[[^\]]*\]\([^)]*\)|(?<=\])\([^)]*\)', ' ', text, flags=re.M|re.S)
    text = re.sub(r'^\*(?:Try|Next):.*', ' ', text, flags=re.M)    # what the reader is to do, or the next lesson does
    text = re.sub(r'(?<=[(\[])\d+(?:,\d+)+(?=[)\]])', lambda m: m[0].replace(',', ', '), text)    # a shape
    for pattern in REFERENCES: text = re.sub(pattern, ' ', text, flags=re.I)
    return text.replace('−', '-')

def value(text): return float(text.replace(',', '').replace('−', '-'))

def numbers(source): return [m[0] for m in NUMBER.finditer(plain(source))]

def shown(nb):
    "All numbers of a notebook's cells: in code, and in what they print"
    code, out = [], []
    for c in nb['cells']:
        if c['cell_type']!='code': continue
        code.append(''.join(c['source']))
        for o in c.get('outputs', []):
            out += [''.join(o.get('text', ''))] + [''.join(v) for k,v in o.get('data', {}).items() if k.startswith('text/')]
    def read(text, *kinds):
        found = (m[0] for kind in kinds for m in re.finditer(rf'(?<![\w#.]){kind}', text))
        return {abs(float(n.replace('_', '').replace(',', ''))) for n in found}
    return read('\n'.join(code), PLAIN), read('\n'.join(out), PLAIN, GROUPED)

def is_bound(text, code, out):
    "Is this number in the code, or does something printed round to it, also as a percentage?"
    x, decimals = abs(value(text)), len(text.partition('e')[0].partition('.')[2])
    if x in code or round(x/100, 9) in code: return True
    if 'e' in text: return any(abs(v/x-1)<.05 for v in code | out if x)
    half = .5 if not decimals else 10.**-decimals    # rounded, or cut, as the ends of a band are
    return any(min(abs(v-x), abs(100*v-x))<=half+1e-9 for v in (out | code if decimals else out))

def unbound():
    "(notebook, number, sentence) of each number that no cell shows"
    found = []
    for name,text in pages().items():
        nb = json.loads(text)
        code, out = shown(nb)
        for c in nb['cells']:
            if c['cell_type']!='markdown': continue
            source = ''.join(c['source'])
            for n in numbers(source):
                if not is_bound(n, code, out): found.append((name, n, next((s.strip() for s in re.split(r'(?<=[.!?:])\s', plain(source)) if n.replace('−','-') in s), '')))
    return found

def listed():
    "The exceptions: (notebook, number) and why; the notebook `*` means all of them"
    with open(LISTED, newline='', encoding='utf-8') as f: return {(r['notebook'], r['number']): r['reason'] for r in csv.DictReader(f)}

def report():
    "Lines about numbers that neither a cell nor the list explains, and about exceptions that nothing needs"
    known, found = listed(), unbound()
    lines = [f'{name}: {n}: {sentence[:150]}' for name,n,sentence in found if not {(name,n), ('*',n)} & set(known)]
    needed = {f[:2] for f in found} | {('*',n) for _,n,_ in found}
    return lines + [f'prose_numbers.csv: {name}, {n}: needs no exception any more' for name,n in sorted(set(known)-needed)]

if __name__=='__main__':
    lines = report()
    for line in lines: print(line)
    sys.exit(bool(lines))
