/** The two forms of an email address whose domain is international: ASCII to be stored, and the one that people read. */
import { isIPv4 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { identifierProblem } from './identifiers.ts';
import { firstNameFirst, isAscii, textKey, tooManyMarks, trim } from './text.ts';

/** As long as an address may be (RFC 3696, erratum 1690). */
export const EMAIL_MAX = 254;

// `domainToASCII` takes more than a domain, and knows where the two joiners belong.
const WRITTEN_DOMAIN = /^[[[\P{ASCII}a-zA-Z\d.\-]--[\p{DI}\p{Z}\p{C}]]\u200C\u200D]+$/v;
const CYRILLIC_LIKE_LATIN = /^(?=.*[а-ӿ])[асԁеһіјӏорԛѕԝхуъьҽпгѵѡ\d-]+$/u;
const LABEL = /^[\p{L}\p{Nd}-][\p{L}\p{M}\p{Nd}-]*$/u;

/** As mail programs copy an address: with whose it is, or a sign behind it (RFC 5322, 3.4). */
const MAILBOX = /^(?:([^<>]*)<(?:mailto:)?([^<>@\s]+@[^<>@\s]+)>|(?:mailto:)?([^<>@\s]+@[^<>@\s]+?))[;,]?$/i;

/** Of `"Lovelace, Ada" <ada@example.org>` both; what is no address of a mail program stays as it is, without a name. */
export function parseMailbox(typed: string): { email: string; name: string } {
  // Most of them, at once.
  if (!/[<:;,]/.test(typed)) return { email: typed, name: '' };
  const [whole, before = '', inside, alone] = MAILBOX.exec(trim(typed)) ?? [];
  if (whole === undefined) return { email: typed, name: '' };
  const name = trim(before).replace(/^(["'])(.*)\1$/, '$2');
  return { email: inside ?? alone ?? typed, name: name.includes('@') ? '' : firstNameFirst(name) };
}

/** The form that is stored (Unicode TS 46): its domain in ASCII; as it is where it was, or where there can be no such domain. */
export function asciiEmail(email: string): string {
  const [before, domain] = splitAtDomain(email);
  if (isAscii(domain) || !WRITTEN_DOMAIN.test(domain)) return email;
  const ascii = domainToASCII(domain);
  // Digits of other scripts can make a number that is read as an address of the network: `１２７.1` is `127.0.0.1`.
  return !/^[a-z\d.-]+$/.test(ascii) || isIPv4(ascii) ? email : before + ascii;
}

export function emailKey(email: string): string {
  return textKey(asciiEmail(email.normalize('NFKC')));
}

/** The form that people read: `ada@bücher.example`; the stored one, where the other could be taken for another domain. */
export function shownEmail(email: string): string {
  if (email.length > EMAIL_MAX || !/[@.]xn--/i.test(email)) return email;
  const [before, domain] = splitAtDomain(email);
  const shown = domainToUnicode(domain);
  const isItself = domainToASCII(shown) === domain.toLowerCase();
  return isItself && shown.split('.').every(isWrittenLikeUsername) && !looksLatin(shown)
    ? before + shown
    : email;
}

function isWrittenLikeUsername(label: string): boolean {
  const isWritten = LABEL.test(label) && !/\p{DI}/u.test(label);
  return isWritten && (tooManyMarks(label) ?? identifierProblem(label)) === undefined;
}

/** As Chromium judges it: https://chromium.googlesource.com/chromium/src/+/main/docs/idn.md */
function looksLatin(domain: string): boolean {
  const labels = domain.split('.');
  return isAscii(labels.at(-1) ?? '') && labels.some((label) => CYRILLIC_LIKE_LATIN.test(label));
}

function splitAtDomain(email: string): [string, string] {
  const start = email.lastIndexOf('@') + 1;
  return start === 0 ? [email, ''] : [email.slice(0, start), email.slice(start)];
}
