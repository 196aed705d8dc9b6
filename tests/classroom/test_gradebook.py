"Gradebooks of Moodle and Canvas: marks go where they belong, every other byte stays, and what doesn't fit is told in one line"
import codecs, csv, io, random, re

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mnist_course.classroom.gradebook import fill_column

ADA = {'ada': 2.5, 'eve@x.org': 4}

CODES = {'utf-8': codecs.BOM_UTF8, 'utf-16-le': codecs.BOM_UTF16_LE, 'utf-16-be': codecs.BOM_UTF16_BE, 'cp1252': b'', 'utf_8': b''}    # the last without a mark

# Exports as they are, with «before|after» where a mark goes; encoding, byte order mark, column, marks, text
EXPORTS = {
    'moodle, grade export': ('utf-8', b'', 'Assignment: Lesson 03 (Real)', ADA, '''\
"First name","Last name","ID number",Institution,Department,"Email address","Assignment: Lesson 03 (Real)","Course total (Real)","Last downloaded from this course"
Ada,Lovelace,,,"Rock, on!",ada@x.org,«-|2.5»,11.50,1700000000
Eve,"O'Hara",,"MIT ""west""",,EVE@x.org,«10.00|4»,12.00,1700000000
Tim,Untouched,,,,tim@x.org,9.00,-,1700000000
'''),
    'moodle, worksheet with feedback in several lines': ('utf-8', b'', 'Grade', {'Ada Lovelace_1234_assignsubmission_file_': 2.5, "Eve OHara_1235_assignsubmission_file_": 3}, '''\
Identifier,"Full name","Email address",Status,Group,Grade,"Maximum Grade","Grade can be changed","Last modified (submission)","Last modified (grade)","Feedback comments"\r
"Participant 1234","Ada Lovelace",ada@x.org,"Submitted for grading","Group A",«|2.5»,100.00,Yes,"Monday, 13 May 2024, 9:59 AM",-,"<p>Well,\r
""done""\nAda</p>"\r
"Participant 1235","Eve O'Hara",eve@x.org,"No submission","Default group",«|3»,100.00,Yes,-,-,\r
"Participant 1236","Tim T",tim@x.org,"No submission",,,100.00,Yes,-,-,'''),
    'moodle in German, decimal commas between commas': ('utf-8', codecs.BOM_UTF8, 'Bewertung', {'K1': 2.5, 'zoë': 3}, '''\
ID,"Vollständiger Name",ID-Nummer,E-Mail-Adresse,Status,Bewertung,Bestwertung,"Bewertung kann geändert werden"
Teilnehmer/in11,"Ada Müller",k1,ada@x.org,"Zur Bewertung abgegeben",«|"2,5"»,"10,00",Ja
Teilnehmer/in12,"Zoë Weiß",k2,zoë@x.org,"Zur Bewertung abgegeben",«"1,50"|"3"»,"10,00",Ja
'''),
    'moodle in German, semicolons, by a spreadsheet': ('cp1252', b'', 'aufgabe: LEKTION 03', {'Ada Müller': 2.5, 'Weiß, Zoë': 12}, '''\
Vorname;Nachname;ID-Nummer;E-Mail-Adresse;Aufgabe: Lektion 03;Kurs gesamt\r
Ada;Müller;;a@x.org;«|2,5»;10,25\r
Zoë;Weiß;;b@x.org;«3|12»;10,50\r
'''),
    'moodle in French, tabs': ('utf-8', b'', 'Note', ADA, '''\
Identifiant\t"Nom complet"\t"Adresse de courriel"\tStatut\tNote
"Participant 7"\t"Ada L."\tada@x.org\t"Remis, en retard"\t«|2.5»
"Participant 8"\tÈve\teve@x.org\t\t«|4»
'''),
    'moodle in Spanish, all in quotes': ('utf-8', b'', 'Calificación', ADA, '''\
"Identificador","Nombre completo","Dirección de correo","Estado","Calificación","Calificación máxima"
"Participante 101","Ana López","ada@x.org","","«|2,5»","10,00"
"Participante 102","Eva","eve@x.org","","«7,25|4»","10,00"
'''),
    'moodle in Portuguese': ('utf-8', b'', 'Tarefa: 03 (Real)', {'Ada Souza': 1, 'ES2': 2}, '''\
Nome,Sobrenome,"Número de identificação","Endereço de email","Tarefa: 03 (Real)"
Ada,Souza,ES1,a@x.org,«-|1»
Eva,"da Silva, Júnior",es2,b@x.org,«|2»'''),
    'canvas': ('utf-8', b'', 'Lesson 03 (551)', {'lovelaceada_12_9001_03_loss': 2.5, 'eve': 4}, '''\
Student,ID,SIS User ID,SIS Login ID,Section,Notes,Lesson 03 (551),Lesson 04 (552),Current Score,Final Score
,,,,,,Manual Posting,,,
    Points Possible,,,,,,4.00,4.00,(read only),(read only)
"Lovelace, Ada",12,U1,al@x.org,"A and B",,«|2.5»,N/A,,0.00
"=""=Eve""",13,U2,eve@x.org,A,=1+1,«EX|4»,1.50,@x,0.00
"Student, Test",99,,7f3a,A,-2+3,,,,
'''),
    'canvas in Sweden': ('utf-8', codecs.BOM_UTF8, 'Lesson 03 (551)', {'al': .25, 'öberg eva_LATE_13_77': 3}, '''\
Student;ID;SIS Login ID;Section;Lesson 03 (551);Final Score
    Points Possible;;;;4,0;(läs endast)
"Lovelace, Ada";12;al;A;«|0,25»;0,0
"Öberg, Eva";13;eo;"A; B";«|3»;0,0
'''),
    'canvas, first and last names': ('utf-8', b'', 'Lesson 03 (551)', {'lovelaceada_12': 1}, '''\
LastName,FirstName,ID,SIS Login ID,Section,Lesson 03 (551)\r
    Points Possible,,,,,4\r
Lovelace,Ada,12,al,A,«2|1»\r
Lovelace,Ada,13,al2,A,2\r
'''),
    'unicode text of a spreadsheet': ('utf-16-le', codecs.BOM_UTF16_LE, 'Punkte', {'ada': 2.5}, '''\
Name\tE-Mail\tPunkte\tÜbrig\r
Ada Ł\tada@x.org\t«|2,5»\t"1,5"\r
Eve\teve@x.org\t3\t"a\nb"\r
'''),
    'the other byte order': ('utf-16-be', codecs.BOM_UTF16_BE, 'Mark', {'ada': 1000000}, 'Name,Email,Mark\nAda,ada@x.org,«1|1000000»'),
    'line ends of all kinds, an empty line, a hint for spreadsheets': ('utf-8', b'', 'Mark', ADA, 'sep=;\r\nName;Email;Mark\rA;ada@x.org;«|2.5»\n\r\nE;eve@x.org;«|4»\r\n\n\n'),
    'a hint against appearances': ('utf-8', b'', 'Name,Email,Mark', {'ada': 2.5}, 'sep=;\nName,Email,Mark;Email\n«1,ada,2|2.5»;ada@x.org\n'),
    'a title above the names': ('utf-8', b'', 'Mark', ADA, 'Course 7,,\n,,\nName,Email,Mark\nA,ada@x.org,«|2.5»\nE,eve@x.org,«|4»\n'),
    'a language that we do not know': ('utf-8', b'', 'Πόντοι', ADA, 'Όνομα,Διεύθυνση,Πόντοι\nA,ada@x.org,«|2.5»\nE,eve@x.org,«|4»\n'),
}


def both(export):
    "An export as bytes, before and after"
    encoding, mark, _, _, text = export
    return [mark + re.sub('«(.*?)\\|(.*?)»', rf'\{n}', text).encode(encoding) for n in (1, 2)]


def filled(tmp, data, column, marks):
    "What `fill_column` makes of these bytes"
    path = tmp/'book.csv'
    path.write_bytes(data)
    assert fill_column(path, column, marks)==len(marks)
    assert [p.name for p in tmp.iterdir()]==['book.csv']
    return path.read_bytes()


@pytest.mark.parametrize('name', EXPORTS)
def test_an_export_keeps_every_other_byte(name, tmp_path):
    before, after = both(EXPORTS[name])
    assert filled(tmp_path, before, *EXPORTS[name][2:4])==after!=before
    assert filled(tmp_path, after, *EXPORTS[name][2:4])==after    # once more changes nothing
    assert filled(tmp_path, before, EXPORTS[name][2], {})==before    # no marks, no change


def test_these_exports_tell_a_table_that_is_written_anew():
    "The negative control: reading and writing by `csv` keeps the bytes of few"
    kept = 0
    for export in EXPORTS.values():
        _, after = both(export)
        text = after[len(export[1]):].decode(export[0])
        out = io.StringIO(newline='')
        delimiter = max(',;\t', key=text.count)
        csv.writer(out, delimiter=delimiter, lineterminator='\n').writerows(csv.reader(io.StringIO(text, newline=''), delimiter=delimiter))
        kept += out.getvalue().encode(export[0])==after[len(export[1]):]
    print(f'{len(EXPORTS)} exports, {kept} of them as they were after reading and writing by csv')
    assert kept<len(EXPORTS)/2


def raw(text, delimiter, is_quoted):
    "A cell as it stands in a file; in quotes where it must"
    if is_quoted or text[:1]=='"' or set(text)&{delimiter, '\r', '\n'}: return '"' + text.replace('"', '""') + '"'
    return text


LETTERS = {encoding: st.characters(codec='cp1252' if encoding=='cp1252' else 'utf-8', exclude_characters='\0') for encoding in CODES}
ENDS = st.sampled_from(['\n', '\r\n', '\r'])


@pytest.mark.parametrize('delimiter', ',;\t')
@pytest.mark.parametrize('encoding, mark', CODES.items())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_other_byte_at_random(encoding, mark, delimiter, data, tmp_path):
    "Cells with quotes, delimiters, line ends and any letters; line ends of all kinds"
    draw = data.draw
    texts = st.text(st.sampled_from('",;\t\r\n=+-@ é') | LETTERS[encoding], max_size=8)
    header = draw(st.permutations(['Email', 'Quiz 1', 'Quiz 2', 'Feedback']))
    target, n = header.index('Quiz 1'), draw(st.integers(1, 6))
    rows = [[draw(texts) for _ in header] for _ in range(n)]
    for i,row in enumerate(rows):
        row[header.index('Email')], row[target] = f'u{i}@x.org', draw(st.sampled_from(['', '1', '2.5', '2,5', 'EX', '-']))
    marks = {f'u{i}': draw(st.sampled_from([0, 1, 2.5, 10.25])) for i in range(n) if draw(st.booleans())}
    parts = [(mark, None)]    # bytes that stay, or the mark that replaces them
    for r,row in enumerate([header, *rows]):
        for c,text in enumerate(row):
            parts.append((raw(text, delimiter, draw(st.booleans())).encode(encoding), marks.get(f'u{r-1}') if r and c==target else None))
            parts.append(((delimiter if c<3 else draw(ENDS) if r<n or draw(st.booleans()) else '').encode(encoding), None))
    before, path = b''.join(old for old,_ in parts), tmp_path/'book.csv'
    path.write_bytes(before)
    assert fill_column(path, 'Quiz 1', marks)==len(marks)
    after = left = path.read_bytes()

    for old,value in parts:    # byte by byte: what stays stands there, marks between, and nothing else
        texts = [w for v in (f'{value:g}', f'{value:g}'.replace('.', ',')) for w in (f'"{v}"', v)] if value is not None else []
        way = next((w for w in [t.encode(encoding) for t in texts] or [old] if left.startswith(w)), None)
        assert way is not None, (left, old, value)
        left = left[len(way):]
    assert left==b''

    def reread(data): return list(csv.reader(io.StringIO(data[len(mark):].decode(encoding), newline=''), delimiter=delimiter))
    for old,new,who in zip(reread(before), reread(after), ['', *(f'u{i}' for i in range(n))], strict=True):
        if who in marks: assert float(new[target].replace(',', '.'))==marks[who]
        else: assert new[target]==old[target]
        assert [t for c,t in enumerate(new) if c!=target]==[t for c,t in enumerate(old) if c!=target]


def test_many_rows_in_any_order(tmp_path):
    "A thousand learners, by login and by the names of Canvas' downloads"
    lines = [f'"Name{i}, A",{i},l{i},,' for i in range(1000)]
    random.Random(0).shuffle(lines)
    before = '\n'.join(['Student,ID,SIS Login ID,Quiz,Rest', *lines]).encode()
    marks = {f'l{i}' if i%2 else f'name{i}a_{i}_55_03_loss': i/4 for i in range(0, 1000, 3)}
    after = filled(tmp_path, before, 'quiz', marks)
    assert {r['ID']: float(r['Quiz']) for r in csv.DictReader(io.StringIO(after.decode())) if r['Quiz']}=={str(i): i/4 for i in range(0, 1000, 3)}
    assert re.sub(rb'(?m),[\d.]*,$', b',,', after)==before


BOOK = 'Student,ID,Email,Quiz 1,Quiz 2,Twice,Twice,Final\n    Points Possible,,,,,,,(read only)\nAda,1,ada@x.org,,,,,\nEve,2,ada@y.org,,,,,\nTim,3,tim@x.org,,,,,\n'

ERRORS = [
    (BOOK, 'Quizz 1', dict(tim=1), "no column 'Quizz 1', did you mean 'Quiz 1'? There are 'Quiz 1', 'Quiz 2'"),
    (BOOK, 'Email', dict(tim=1), "column 'Email' says who the learners are"),
    (BOOK, 'student', dict(tim=1), "column 'student' says who the learners are"),
    (BOOK, 'Twice', dict(tim=1), "2 columns are called 'Twice'"),
    (BOOK, 'Final', dict(tim=1), "column 'Final' is read-only"),
    (BOOK, 'Quiz 1', dict(tim=1, bob=2, zoe=3), "no row for 'bob', 'zoe': name such a folder by what is in 'Student', 'ID', 'Email'"),
    (BOOK, 'Quiz 1', {'points possible': 1}, "no row for 'points possible'"),
    (BOOK, 'Quiz 1', {'tim_33_assignsubmission_x': 1, 'tim_4_1': 2}, "no row for 'tim_4_1'"),
    (BOOK.replace('ada@y', 'ada2@y').replace('Eve', 'ada2'), 'Quiz 1', {'ada@x.org': 1, 'Ada': 2}, "more than one learner for line 3 ('ada@x.org', 'Ada')"),
    (BOOK, 'Quiz 1', dict(ada=1), "more than one row for 'ada' (lines 3, 4)"),
    (BOOK+'Tim,4,tim@x.org,,,,,\n', 'Quiz 1', {'tim@x.org': 1}, "more than one row for 'tim@x.org' (lines 5, 6)"),
    (BOOK, 'Quiz 1', dict(tim=float('nan')), 'nan is not a mark'),
    (BOOK, 'Quiz 1', dict(tim='=1+1'), "'=1+1' is not a mark"),
    (BOOK+'Bob,4\n', 'Quiz 1', dict(tim=1), 'line 6 has 2 cells, the first has 8'),
    (BOOK+'Bob,4,",,,,,\n', 'Quiz 1', dict(tim=1), 'a quote mark in line 6 is not closed'),
    (BOOK+'Bob,4,"a"b,,,,,\n', 'Quiz 1', dict(tim=1), 'a quote mark in line 6'),
    ('', 'Quiz 1', dict(tim=1), 'a single column, or none at all'),
    ('just some words', 'Quiz 1', dict(tim=1), 'a single column, or none at all'),
    ('Sport,Quiz 1\nAda,1\n', 'Quiz 1', dict(ada=1), 'no column says who the learners are'),
    ('Wer,Wo,Quiz 1\nada@x.org,a@b.c,\n', 'Wer', dict(ada=1), "column 'Wer' holds addresses"),
    (b'Email,Quiz 1\nada@x.org,\x81\n', 'Quiz 1', dict(ada=1), 'neither UTF-8 nor UTF-16 nor Windows-1252'),
    ('Email,Quiz 1\nada@x.org,\n'.encode('utf-16-le'), 'Quiz 1', dict(ada=1), 'neither UTF-8'),
    (codecs.BOM_UTF16_LE+b'odd', 'Quiz 1', dict(ada=1), 'neither UTF-8'),
    (codecs.BOM_UTF8+b'Email,Quiz 1\nada@x.org,\xe9\n', 'Quiz 1', dict(ada=1), 'neither UTF-8'),
    (b'PK\x03\x04\x14\0\x06\0', 'Quiz 1', dict(ada=1), 'neither UTF-8'),
]


@pytest.mark.parametrize('book, column, marks, said', ERRORS, ids=[e[3][:40] for e in ERRORS])
@pytest.mark.parametrize('elsewhere', [False, True])
def test_what_does_not_fit_is_told_in_one_line(book, column, marks, said, elsewhere, tmp_path):
    path, data = tmp_path/'book.csv', book if isinstance(book, bytes) else book.encode()
    path.write_bytes(data)
    with pytest.raises(ValueError) as e: fill_column(path, column, marks, tmp_path/'out.csv' if elsewhere else None)
    assert str(e.value).startswith('book.csv: ') and said in str(e.value) and '\n' not in str(e.value)
    assert path.read_bytes()==data and [p.name for p in tmp_path.iterdir()]==['book.csv']


def test_a_book_without_these_faults_is_filled(tmp_path):
    "The negative control of the errors"
    assert filled(tmp_path, BOOK.encode(), 'Quiz 1', {'tim': 1, 'ada@y.org': 2}).decode()==BOOK.replace('tim@x.org,', 'tim@x.org,1').replace('ada@y.org,', 'ada@y.org,2')


@pytest.mark.parametrize('learner, line', [
    ('ada@x.org', 2), (' ADA@X.ORG ', 2), ('al1', 2), ('12', 2), ('zoe', 3), ('Zoe\u0308 O\'Brien', 3), ("O'Brien, Zoë", 3), ('zoë_o\'brien', 3),
    ('obrienzoë_13_1_03_loss', 3), ('obrienzoë_LATE_13_1_03_loss', 3), ('obrienzoë_13', 3), ('Zoë OBrien_9_assignsubmission_file_', 3),
    ('Jean-Luc Van Damme', 4), ('van dammejeanluc_14', 4), ('Luc Van Damme', None), ('obrienzoë_14', None), ('obrienzoë', None), ('zoe_2024', None),
    ('al', None), ('Ada', None), ('ada', None), ('x.org', None), ('', None),
])
def test_a_learner_is_found_by_what_is_unique(learner, line, tmp_path):
    "None: in no row, or in more than one"
    book = ('Student,ID,SIS Login ID,Mail,Quiz\n"Lovelace, Ada",12,al1,ada@x.org,\n"O\'Brien, Zoë",13,zb,zoe@x.org,\n'
            '"Van Damme, Jean-Luc",14,jl,jl@x.org,\n"Lovelace, Ada",15,al3,ada@y.org,\n')
    path = tmp_path/'book.csv'
    path.write_text(book, encoding='utf-8')
    try: fill_column(path, 'Quiz', {learner: 7})
    except ValueError: assert line is None and path.read_text(encoding='utf-8')==book
    else: assert [n for n,text in enumerate(path.read_text(encoding='utf-8').splitlines(), 1) if text.endswith('7')]==[line]


@pytest.mark.parametrize('learner, line', [('007', 2), ('ada', 3), ('Ada Lovelace_9_assignsubmission_file_', 3), ('ada_9_assignsubmission_file_', 3), ('ada_2024', None)])
def test_without_numbers_the_name_alone_decides(learner, line, tmp_path):
    "Of a name that is not quite a download's, no part counts; a login may be protected from spreadsheets, and a column's name hold quotes"
    book = 'Username,Full name,"Quiz ""A"""\n"=""007""",James,\nada,Ada Lovelace,\n'
    path = tmp_path/'book.csv'
    path.write_text(book)
    try: fill_column(path, 'quiz "A"', {learner: 7})
    except ValueError: assert line is None and path.read_text()==book
    else: assert [n for n,text in enumerate(path.read_text().splitlines(), 1) if text.endswith('7')]==[line]


def test_a_link_stays_a_link_and_a_book_elsewhere_is_whole(tmp_path):
    (tmp_path/'real.csv').write_text('Email,Quiz\nada@x.org,\n')
    (tmp_path/'link.csv').symlink_to('real.csv')
    fill_column(tmp_path/'link.csv', 'Quiz', dict(ada=1))
    assert (tmp_path/'link.csv').is_symlink() and (tmp_path/'real.csv').read_text()=='Email,Quiz\nada@x.org,1\n'
    fill_column(tmp_path/'real.csv', 'Quiz', dict(ada=2), tmp_path/'out.csv')
    assert [(tmp_path/f).read_text()[-2:] for f in ('real.csv', 'out.csv')]==['1\n', '2\n']
    with pytest.raises(FileNotFoundError, match='no gradebook .*none.csv: export one'): fill_column(tmp_path/'none.csv', 'Quiz', {})
