/** The mail with an access link, whether Roster sends it or whoever has made the link. */
import { displayName, time } from '../lib/formats.ts';
import { quotable } from '../lib/text.ts';
import { USERNAME_MAX } from '../users/validation.ts';
import type { Mail } from './mailer.ts';

type Named = { username: string; full_name: string | null };

export function accessMailTo(
  user: Named & { email: string },
  { link, endsAt, from }: { link: string; endsAt: number; from: Named },
): Mail {
  return {
    to: { name: displayName(user), address: user.email },
    subject: 'Your access to Roster',
    text: [
      `Hello ${quotable(displayName(user))},`,
      `${quotable(displayName(from))} gives you access to Roster, the directory at ${new URL(link).origin}. Open this link and choose a password:`,
      link,
      `It works once, until ${time(endsAt)}. It is for you alone: whoever opens it chooses the password.`,
      `You then sign in as ${quotable(user.username, USERNAME_MAX)}.`,
    ].join('\n\n'),
  };
}

/** What a link to a new mail holds (RFC 6068). */
export function mailtoOf({ to, subject, text }: Mail): string {
  const body = text.replaceAll('\n', '\r\n');
  const address = encodeURIComponent(to.address).replace('%40', '@');
  return `${address}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(body)}`;
}
