/** Files such as people bring, and such as nobody should: each with its clear answer. */
import { gzipSync } from 'node:zlib';
import type { Encoding } from '../../src/imports/reading/reading.ts';

export type Content = string | Buffer | (() => Iterable<string | Buffer>);

export type File = {
  content: Content;
  /** The sentence for a file that cannot be read at all. */
  refused?: string;
  encoding?: Encoding;
  /** For each row: its line, and its username or the first problem. */
  rows?: readonly string[];
};

const HEADER = 'username,email,full_name\n';
const ANN = 'ann,ann@example.org,Ann\n';
const BOB = 'bob,bob@example.org,Bob\n';
const TWO = HEADER + ANN + BOB;
const SHE = '2 ann';
const THEY = [SHE, '3 bob'];

const MEGABYTE = 2 ** 20;

export function* repeated(piece: string, bytes: number, before = ''): Iterable<string> {
  yield before;
  const many = piece.repeat(Math.ceil(MEGABYTE / piece.length));
  for (let made = 0; made < bytes; made += many.length) yield many;
}

function bigEndian(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

const MARK = '\uFEFF';
const UMLAUTS = `${HEADER}ann,ann@example.org,Änn Müller\n`;
const TOO_LONG = 'is longer than 100 KB: perhaps a cell begins with a quote (") that is never closed.';
const DOES_NOT_MATCH =
  'do not match: one is not closed, or stands inside of a cell and has to be written twice.';
const TOO_MANY_COLUMNS = 'The file has more than 1,000 columns: take out those that are not needed.';
const COMPRESSED = 'This file is compressed: unpack it first.';

export const CORPUS: Readonly<Record<string, File>> = {
  // Encodings.
  'UTF-8 without a mark': { content: UMLAUTS, encoding: 'utf-8', rows: [SHE] },
  'UTF-8 with a mark': { content: MARK + UMLAUTS, encoding: 'utf-8', rows: [SHE] },
  'UTF-16 LE with a mark': {
    content: Buffer.from(MARK + UMLAUTS, 'utf16le'),
    encoding: 'utf-16le',
    rows: [SHE],
  },
  'UTF-16 LE without a mark': {
    content: Buffer.from(UMLAUTS, 'utf16le'),
    encoding: 'utf-16le',
    rows: [SHE],
  },
  'UTF-16 BE with a mark': { content: bigEndian(MARK + UMLAUTS), encoding: 'utf-16be', rows: [SHE] },
  'UTF-16 BE with a mark, nearly all of it Chinese': {
    content: bigEndian(`${MARK}username,部门\nann,${'王小明'.repeat(5_000)}\n`),
    encoding: 'utf-16be',
    rows: [SHE],
  },
  'UTF-16 BE without a mark': { content: bigEndian(UMLAUTS), encoding: 'utf-16be', rows: [SHE] },
  'names in Chinese in UTF-16 without a mark': {
    content: Buffer.from(`${HEADER}ann,ann@example.org,${'王小明'.repeat(20)}\n`, 'utf16le'),
    encoding: 'utf-16le',
    rows: [SHE],
  },
  'Windows-1252': { content: Buffer.from(UMLAUTS, 'latin1'), encoding: 'windows-1252', rows: [SHE] },
  'an umlaut of Windows-1252 after 300,000 letters': {
    content: Buffer.from(`${HEADER}${BOB.repeat(12_000)}ann,ann@example.org,Müller\n`, 'latin1'),
    encoding: 'windows-1252',
  },
  // Read in pieces of 64 KiB: at the end of one, and of the file, it could go on as UTF-8.
  'an umlaut of Windows-1252 as the last byte of what is read at once': {
    content: Buffer.from(
      `${HEADER.padEnd(2 ** 16 - 25, '\n')}ann,ann@example.org,Rene\xe9\n${BOB}`,
      'latin1',
    ),
    encoding: 'windows-1252',
  },
  'an umlaut of Windows-1252 as the last byte of the file': {
    content: Buffer.from(`${HEADER}ann,ann@example.org,Ren\xe9`, 'latin1'),
    encoding: 'windows-1252',
  },
  'an umlaut of UTF-8 across the end of what is read at once': {
    content: Buffer.from(`${HEADER.padEnd(2 ** 16 - 25, '\n')}ann,ann@example.org,Rene\xc3\xa9\n`, 'latin1'),
    encoding: 'utf-8',
  },
  'one wrong byte in UTF-8': {
    content: Buffer.concat([Buffer.from(UMLAUTS), Buffer.from('bob,bob@example.org,B\xf6b\n', 'latin1')]),
    encoding: 'utf-8',
    rows: [
      SHE,
      '3 The full name contains a broken character (half of a surrogate pair, or bytes that are not UTF-8).',
    ],
  },
  // Line ends.
  'lines that end with CRLF': { content: TWO.replaceAll('\n', '\r\n'), rows: THEY },
  'lines that end with a lone CR': { content: TWO.replaceAll('\n', '\r'), rows: THEY },
  'lines that end differently': {
    content: `${HEADER}${ANN.trimEnd()}\r\n${BOB.trimEnd()}\r${ANN}`,
    rows: [...THEY, '4 ann'],
  },
  'no line end after the last row': { content: TWO.trimEnd(), rows: THEY },
  'CRLF in cells': {
    content: 'username,notes,email\r\nann,"one\r\ntwo\r\n\r\n",a@example.org\r\nbob,,b@example.org\r\n',
    rows: [SHE, '6 bob'],
  },
  'CRLF in the header': {
    content: 'username,"notes\r\nof ours",email\r\nann,,a@example.org\r\n',
    rows: ['3 ann'],
  },
  'blank lines': { content: `\n\n${HEADER}\n,,\n${ANN}  \n\n${BOB},,\n\n`, rows: ['6 ann', '9 bob'] },
  // Delimiters.
  semicolons: { content: TWO.replaceAll(',', ';'), rows: THEY },
  tabs: { content: TWO.replaceAll(',', '\t'), rows: THEY },
  'sep=; as Excel writes it': {
    content: `sep=;\r\nusername;email;"a,username"\r\nann;a@example.org;\r\n`,
    rows: ['3 ann'],
  },
  'sep=; where more columns were known with commas': {
    content: 'sep=;\nusername;name,email,role\nann;x\n',
    rows: ['3 ann'],
  },
  'sep=| which is none of ours': {
    content: 'sep=|\nusername|email\n',
    refused: 'Its first line says that cells are apart by “|”: save it with commas, semicolons or tabs.',
  },
  'commas in a file with semicolons': {
    content: 'Last name, first name, title;Username;Email\n"b, c, d";ann;a@example.org\n',
    rows: [SHE],
  },
  'as many commas as columns, in a file with semicolons whose first row is ragged': {
    content: 'username;email;notes,more\nann;a@example.org;y,z;x\n',
    rows: ['2 The row has 4 cells, the first line has 3.'],
  },
  'what would be an open quote if commas were delimiters': {
    content: 'username;notes\nann;x,"y\n',
    rows: [SHE],
  },
  'a row of one cell': {
    content: 'username,email\nann\n',
    rows: ['2 The row has 1 cell, the first line has 2.'],
  },
  'trailing delimiters': {
    content: 'username,email,,\nann,a@example.org,,\nbob,b@example.org\ncy,c@example.org,,,,\n',
    rows: [...THEY, '4 cy'],
  },
  // What stands above the names of the columns.
  'a title with a comma above semicolons': {
    content:
      '"Staff list, as of 29 November 2026";;\n;;\nUsername;Phone;E-mail\nann;1;a@example.org\nbob;2;b@example.org\n',
    rows: ['4 ann', '5 bob'],
  },
  'a title without a quote, and whom it is from': {
    content:
      'Staff list, as of 29 November 2026;;\nContact: hr@example.org;;\n\nUsername;Phone;E-mail;;\nann;1;a@example.org;;\nbob;2\n',
    rows: ['5 ann', '6 The row has 2 cells, the line with the names has 3.'],
  },
  'a title of two lines in a cell': {
    content: '"Staff\nlist",\nusername,email\nann,a@example.org\n',
    rows: ['4 ann'],
  },
  'a word of a user that is also the name of a column': {
    content: 'Login name,Department,Art\nann,Mail,User\nbob,User,no\n',
    rows: THEY,
  },
  'a title above names that nobody knows': {
    content: 'Personal, Stand heute;;\nKennung;Anschrift;Ort\nann;Hauptstr. 1;Köln\n',
    refused:
      'None of the columns is known: “Kennung”, “Anschrift”, “Ort”. Name them as in “username,email,full_name”.',
  },
  'words of users that are also names of columns, below names that nobody knows': {
    content: 'Kennung,Art,Extern,Zustand\nann,user,no,active\nbob,Mail,no,active\n',
    refused:
      'None of the columns is known: “Kennung”, “Art”, “Extern” and 1 more. Name them as in “username,email,full_name”.',
  },
  'a title of a million commas': {
    content: () => repeated(',', MEGABYTE, 'Staff'),
    refused: TOO_MANY_COLUMNS,
  },
  'names of columns below ten other lines': {
    content: `${'Note;x\n'.repeat(11)}username;email\nann;a@example.org\n`,
    refused: 'None of the columns is known: “Note”, “x”. Name them as in “username,email,full_name”.',
  },
  'one column': { content: 'email\na@example.org\n', rows: ['2 undefined'] },
  // Rows and cells.
  'ragged rows': {
    content: `${HEADER}ann,a@example.org\nbob,b@example.org,Bob,x\n${ANN}`,
    rows: [
      '2 The row has 2 cells, the first line has 3.',
      '3 The row has 4 cells, the first line has 3.',
      '4 ann',
    ],
  },
  'Excel’s ="007"': { content: 'username,number\n="007",="12"\n"=""008""",\n', rows: ['2 007', '3 008'] },
  'NUL in a cell': {
    content: `${HEADER}a\0nn,ann@example.org,Ann\n${BOB}`,
    rows: ['2 The username contains a NUL character.', '3 bob'],
  },
  'one NUL in a file of 38 bytes': {
    content: 'username,email\nann\0,ann@example.org\n',
    encoding: 'utf-8',
    rows: ['2 The username contains a NUL character.'],
  },
  'two NULs in three lines': {
    content: 'username,email\na\0,a@example.org\nb\0,b@x.org\n',
    encoding: 'utf-8',
    rows: ['2 The username contains a NUL character.', '3 The username contains a NUL character.'],
  },
  'NULs in every row, as many as in a file that is no text': {
    content: `username,notes\n${'a,x\0y\0z\0\n'.repeat(50)}`,
    refused: 'It does not look like text: save the list as CSV, or say in which encoding it is.',
  },
  'the shortest names of columns in UTF-16 without a mark': {
    content: Buffer.from('email\na@b.c\n', 'utf16le'),
    encoding: 'utf-16le',
  },
  'dates in three orders, in a column that is unknown': {
    content: 'username,joined\nann,2026-03-04\nbob,03/04/2026\ncy,4.3.2026\n',
    rows: [...THEY, '4 cy'],
  },
  'quotes inside of cells': {
    content: `${HEADER}ann,ann@example.org,Ann "The Ant" Lee\nbob,bob@example.org,"Bob ""The Bee"" Lee"\n`,
    rows: THEY,
  },
  'a cell of several lines that begins with a quote, which is written twice': {
    content: `username,email,notes\nann,ann@example.org,"""Best"" of 2019\nsaid her boss"\n${BOB}`,
    rows: [SHE, '4 bob'],
  },
  'an open quote in the middle': {
    content: `${HEADER}"ann","a@example.org","Ann\n"bob","b@example.org","Bob"\n"cy","c@example.org","Cy"\n`,
    rows: [`2 The quotes (") on lines 2 to 3 ${DOES_NOT_MATCH}`, '4 cy'],
  },
  'an open quote at the end': {
    content: `${HEADER}${ANN}"bob,bob@example.org,Bob\ncy,c@example.org,Cy\n`,
    refused:
      'The row that begins on line 3 has a quote (") that is not closed before the file ends. Close it, or take it out.',
  },
  'an open quote before 2 MB': {
    content: () => repeated(BOB, 2 * MEGABYTE, `${HEADER}${ANN}"cy,c@example.org,Cy\n`),
    refused: `The row that begins on line 3 ${TOO_LONG}`,
  },
  // Columns.
  'the same column twice': {
    content: 'email,username,email\na@example.org,ann,b@example.org\n',
    refused: 'Two columns are called “email”: take one out, or give it another name.',
  },
  'two columns of one field': {
    content: 'E-mail,username,Email Address\na@example.org,ann,b@example.org\n',
    refused:
      'The columns “E-mail” and “Email Address” are for the same field: take one out, or give it another name.',
  },
  'no header': {
    content: 'ann,ann@example.org,Ann,active\nbob,bob@example.org,Bob,active\n',
    refused:
      'The first line is about somebody. Put a line above it that names the columns, such as “username,email,full_name”.',
  },
  'names of columns that nobody knows': {
    content: 'Kennung;Anschrift;Abteilung;Ort\nann;Hauptstr. 1;IT;Köln\n',
    refused:
      'None of the columns is known: “Kennung”, “Anschrift”, “Abteilung” and 1 more. Name them as in “username,email,full_name”.',
  },
  '100,000 columns': {
    content: `username${Array.from({ length: 100_000 }, (_, index) => `,c${index}`).join('')}\nann\n`,
    refused: TOO_MANY_COLUMNS,
  },
  '100,000 cells in a row': {
    content: () => [HEADER, ANN, 'bob', ',x'.repeat(100_000), '\n'],
    refused: `The row that begins on line 3 ${TOO_LONG}`,
  },
  'a million empty cells in a row': {
    content: () => [HEADER, 'bob', ','.repeat(1_000_000), '\n'],
    refused: `The row that begins on line 2 ${TOO_LONG}`,
  },
  'one cell of 100 MB': {
    content: () => repeated('x', 100 * MEGABYTE, `${HEADER}${ANN}cy,`),
    refused: `The row that begins on line 3 ${TOO_LONG}`,
  },
  'a bomb of quotes': {
    content: () => repeated('"', 20 * MEGABYTE, HEADER),
    refused: `The row that begins on line 2 ${TOO_LONG}`,
  },
  'a bomb of empty cells over many lines': {
    content: () => repeated(`${','.repeat(90_000)}"\n"`, 20 * MEGABYTE, HEADER),
    refused: `The row that begins on line 2 ${TOO_LONG}`,
  },
  // What is no list of users.
  empty: { content: '', refused: 'The file is empty.' },
  'nothing but a mark and blank lines': { content: `${MARK}\r\n \r\n`, refused: 'The file is empty.' },
  'a header alone': {
    content: HEADER,
    refused: 'There are names of columns in the file, and no row below them.',
  },
  'a workbook (.xlsx)': {
    content: Buffer.from('PK\x03\x04\x14\0\x06\0[Content_Types].xml', 'latin1'),
    refused: 'This is an Excel workbook: save it as CSV (File > Save As > CSV UTF-8).',
  },
  'an old workbook (.xls)': {
    content: Buffer.from('\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1', 'latin1'),
    refused: 'This is an Excel workbook: save it as CSV (File > Save As > CSV UTF-8).',
  },
  'a PDF': { content: '%PDF-1.7\n', refused: 'This is a PDF: save the list that it was made of as CSV.' },
  gzip: { content: gzipSync(TWO), refused: COMPRESSED },
  'a picture': {
    content: Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\b\x06', 'latin1'),
    refused: 'It does not look like text: save the list as CSV, or say in which encoding it is.',
  },
  'a page': { content: '<!doctype html><table>', refused: 'This is HTML or XML: save the list as CSV.' },
  'JSON Lines, as an export has them': {
    content: '{"id":1,"username":"ann"}\n',
    refused: 'This is JSON: save the list as CSV.',
  },
  'vCards, as an export has them': {
    content: 'BEGIN:VCARD\r\nVERSION:4.0\r\n',
    refused: 'These are vCards: save the list as CSV.',
  },
};

export function* piecesOf(content: Content): Iterable<string | Buffer> {
  if (typeof content === 'function') yield* content();
  else yield content;
}
