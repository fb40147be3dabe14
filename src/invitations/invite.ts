/** Inviting someone new, or a member, by a form: they have a role and an access link at once, and where it can be sent, a mail. */

import type { FastifyReply } from 'fastify';
import { type Answer, type Done, done, nothingDone } from '../auth/idempotency-store.ts';
import { draftFor } from '../auth/request-drafts.ts';
import { runCommand } from '../auth/run-command.ts';
import type { User } from '../db/schema.ts';
import { BadSubmissionError, NotUniqueError } from '../errors.ts';
import type { Views } from '../http/views.ts';
import { displayName } from '../lib/formats.ts';
import { parseForm, readFields } from '../lib/forms.ts';
import { named } from '../lib/text.ts';
import { offerFormer } from '../users/deleted.ts';
import { addHolders, type Problems, readUserFields } from '../users/form.ts';
import { findFormerNames, typedOf } from '../users/former-names.ts';
import { listBefore, type Request, userAddress, userIdFrom } from '../users/request.ts';
import { invitationSchema, type NewInvitation } from '../users/validation.ts';
import { inviteMember, inviteUser } from './commands.ts';
import { keyIn, linkAddress, mailLink, tokensFor } from './form-link.ts';

const FIELDS = ['full_name', 'email', 'username', 'role', 'asked', 'restore'];
const MOST_ATTEMPTS = 5;
const roleSchema = invitationSchema.pick({ role: true });

export async function showInviteForm(request: Request, reply: FastifyReply) {
  const draft = await draftFor(request);
  return showForm(request, reply, {
    values: draft ? readUserFields(draft, FIELDS) : {},
    isDraft: draft !== undefined,
  });
}

export async function invite(request: Request, reply: FastifyReply) {
  const [values, key] = [readUserFields(request.body, FIELDS), keyIn(request.body)];
  if (values.restore) {
    const offered = await offerFormer(request, reply, values.restore, typedOf(values, {}));
    return offered ?? refuse(request, reply, { values }, {});
  }
  const form = parseForm(invitationSchema, values);
  if (!form.ok) return refuse(request, reply, { values }, form.errors);
  const { problems, ...asking } = await findFormerNames(request.reader, request.actor, values);
  if (asking.former.length > 0) return refuse(request, reply, { values, ...asking }, problems);
  const invited = await inviteUntilFree(request, form.value, key);
  if (invited.kind === 'taken') return refuse(request, reply, { values }, {});
  return answerInvited(request, reply, invited, key);
}

export async function inviteOne(request: Request, reply: FastifyReply) {
  const [key, id] = [keyIn(request.body), userIdFrom(request)];
  const form = parseForm(roleSchema, readFields(request.body, ['role']));
  if (!form.ok) throw new BadSubmissionError(Object.values(form.errors).join(' '));
  const { role } = form.value;
  const invited = await runCommand(request, async (trx, actor) => {
    const tokenOf = tokensFor(request, key);
    const outcome = await inviteMember(trx, actor, id, role, tokenOf, request.server.clock());
    if (outcome.kind === 'invited') return doneFor(request, outcome, key);
    const sentence = `Nothing was changed: ${named(outcome.user.username)} must be active, and a member.`;
    return nothingDone(userAddress(id, request), sentence);
  });
  return answerInvited(request, reply, invited, key);
}

type Invitee = Done & { user: User };

function doneFor(
  request: Request,
  { user, set }: { user: User; set: number },
  key: string,
  isNew = false,
): Invitee {
  const { mailer, config } = request.server;
  const next = mailer || !config.origin ? '' : ' Send them the link.';
  const sentence = `${named(displayName(user))} is invited.${next}`;
  return { ...done(linkAddress(user.id, request, key, isNew), sentence, set), user };
}

/** Once it is saved, and before it is said, the mail is sent. */
async function answerInvited(
  request: Request,
  reply: FastifyReply,
  invited: Invitee | Exclude<Answer, Done>,
  key: string,
) {
  if (invited.kind === 'done') await mailLink(request, invited.user, key);
  return reply.answer(invited);
}

/** Tried again where somebody else takes the email, or the username that was made of it, at the same moment. */
async function inviteUntilFree(request: Request, invitation: NewInvitation, key: string) {
  const { clock } = request.server;
  for (let attempt = 1; ; attempt++) {
    try {
      return await runCommand(request, async (trx, actor) => {
        const invited = await inviteUser(trx, actor, invitation, tokensFor(request, key), clock());
        return invited.kind === 'taken' ? invited : doneFor(request, invited, key, true);
      });
    } catch (error) {
      if (!(error instanceof NotUniqueError)) throw error;
      if (attempt === MOST_ATTEMPTS) return { kind: 'taken' } as const;
    }
  }
}

async function refuse(request: Request, reply: FastifyReply, shown: Shown, problems: Problems) {
  const { errors, holders } = await addHolders(request.server.db, shown.values, problems);
  const isMember = holders.email?.role === 'member' && holders.email.is_active;
  const email = isMember && { email: `${errors.email} Let them in on their own page.` };
  const all = { errors: { ...errors, ...email }, holders: { ...shown.holders, ...holders } };
  return showForm(request, reply, { ...shown, ...all }, 422);
}

type Shown = Pick<Views['invitations/new'], 'values'> & Partial<Views['invitations/new']>;

async function showForm(request: Request, reply: FastifyReply, shown: Shown, status = 200) {
  return reply.render(
    'invitations/new',
    {
      from: listBefore(request),
      canSend: request.server.mailer !== undefined,
      errors: {},
      holders: {},
      former: [],
      isDraft: false,
      ...shown,
    },
    status,
  );
}
