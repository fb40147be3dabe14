/** Files that are no list of users in text, by how they begin: what each is, and what to do. */
import { UnreadableError } from './reading.ts';

const WORKBOOK = 'This is an Excel workbook: save it as CSV (File > Save As > CSV UTF-8).';
const COMPRESSED = 'This file is compressed: unpack it first.';

/** As in https://en.wikipedia.org/wiki/List_of_file_signatures, a letter a byte. */
const SIGNATURES: readonly [string, string][] = [
  ['PK\x03\x04', WORKBOOK],
  ['PK\x05\x06', WORKBOOK],
  ['\xD0\xCF\x11\xE0', WORKBOOK],
  ['%PDF-', 'This is a PDF: save the list that it was made of as CSV.'],
  ['\x1F\x8B', COMPRESSED],
  ['BZh', COMPRESSED],
  ['7z\xBC\xAF', COMPRESSED],
  ['\xFD7zXZ', COMPRESSED],
  ['\x28\xB5\x2F\xFD', COMPRESSED],
];

const TEXTS: readonly [RegExp, string][] = [
  [/^\s*</, 'This is HTML or XML: save the list as CSV.'],
  [/^\s*(\{|\[\s*[{["\]])/, 'This is JSON: save the list as CSV.'],
  [/^\s*BEGIN:VCARD/i, 'These are vCards: save the list as CSV.'],
];

/** So many may be in the cells of a small list, each of which is told in its row. */
const FEW = 10;
/** In another encoding it may be one, so it can be read differently: not told as files are that are known. */
const NO_TEXT = 'It does not look like text: save the list as CSV, or say in which encoding it is.';

/** @param head the first bytes of a file @throws UnreadableError */
export function refuseUnsupportedFiles(head: Buffer): void {
  const beginning = head.toString('latin1', 0, 10);
  const [, sentence] = SIGNATURES.find(([signature]) => beginning.startsWith(signature)) ?? [];
  if (sentence !== undefined) throw new UnreadableError(sentence);
}

/** @param text how a file begins @throws UnreadableError */
export function refuseUnsupportedTexts(text: string): void {
  const [, sentence] = TEXTS.find(([beginning]) => beginning.test(text)) ?? [];
  if (sentence !== undefined) throw new UnreadableError(sentence);
  const controls = text.match(/(?![\t\n])\p{Cc}/gu)?.length ?? 0;
  if (controls > Math.max(FEW, text.length / 50)) throw new UnreadableError(NO_TEXT);
}
