/** Sends mail by the server that a setting names: each over a connection of its own, so that none waits for another. */
import type { NodemailerError, SMTPTransportOptions } from 'nodemailer';
import type { Config } from '../config.ts';
import { isLoopback } from '../settings.ts';

/** For all of it: less than what a Roster that stops gives requests under way. */
const LIMIT_MS = 7_000;
const MOST_REMEMBERED = 1_000;

export type Mail = { to: { name: string; address: string }; subject: string; text: string };

/** `refused`: the server takes none for that address. `late`: it has not answered in time, and may have taken it. */
export const MAIL_OUTCOMES = ['sent', 'refused', 'late', 'failed'] as const;
export type MailOutcome = (typeof MAIL_OUTCOMES)[number];

type Log = { warn(about: object, message: string): void };

export type Mailer = {
  /** A mail about a link. @param log of the request that it is for */
  send(link: string, mail: Mail, log: Log): Promise<MailOutcome>;
  /** What becomes of the mail about a link that is being sent at this moment, or has been sent not long ago. */
  findUnderWay(link: string): Promise<MailOutcome> | undefined;
};

export async function createMailer(
  { server, from }: NonNullable<Config['mail']>,
  limit = LIMIT_MS,
): Promise<Mailer> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport(optionsFor(server));
  const underWay = new Map<string, Promise<MailOutcome>>();
  const send = async (mail: Mail, log: Log): Promise<MailOutcome> => {
    // Nobody's absence is to be answered to it (RFC 3834, 5).
    const headers = { 'Auto-Submitted': 'auto-generated' };
    const signal = AbortSignal.timeout(limit);
    try {
      await transport.sendMail({ ...mail, from: { name: 'Roster', address: from }, headers, signal });
      return 'sent';
    } catch (error) {
      const outcome = outcomeOf(error as NodemailerError);
      log.warn({ outcome, reason: reasonOf(error as NodemailerError) }, 'a mail could not be sent');
      return outcome;
    }
  };
  return {
    send(link, mail, log) {
      const sending = send(mail, log);
      underWay.set(link, sending);
      // Remembered, so that whoever sends a form twice is told of the one mail.
      void sending.then((outcome) => {
        const [oldest = link] = underWay.keys();
        if (outcome !== 'sent') underWay.delete(link);
        else if (underWay.size > MOST_REMEMBERED) underWay.delete(oldest);
      });
      return sending;
    },
    findUnderWay: (link) => underWay.get(link),
  };
}

function optionsFor(server: URL): SMTPTransportOptions {
  const { protocol, hostname, port, username, password } = server;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = protocol === 'smtps:';
  // A link in clear, or a password, is for this machine alone; there a certificate says nothing.
  const isHere = !secure && isLoopback(host);
  return {
    host,
    secure,
    ...(port && { port: Number(port) }),
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    requireTLS: !secure && !isHere,
    tls: { rejectUnauthorized: !isHere },
    socketCloseTimeout: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function outcomeOf({ code, command, responseCode = 0 }: NodemailerError): MailOutcome {
  if (code === 'EABORT') return 'late';
  // From 500 on it is for good (RFC 5321, 4.2.1).
  return command === 'RCPT TO' && responseCode >= 500 ? 'refused' : 'failed';
}

/** Without what the server says in its own words: it may repeat what it was told. */
function reasonOf({ code, command, responseCode, message }: NodemailerError): string {
  return [code, command, responseCode, responseCode ? '' : message].filter(Boolean).join(' ');
}
