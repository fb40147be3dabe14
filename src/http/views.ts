/** What each view is given, and how it becomes a page. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Actor } from '../auth/actor.ts';
import { findKeptAnswer } from '../auth/idempotency.ts';
import { draftFormOf, draftKeyOf } from '../auth/request-drafts.ts';
import type { SealedForm } from '../auth/sealed-drafts.ts';
import type { findSessionsOf, Session } from '../auth/sessions.ts';
import type { Drift } from '../bulk/drift.ts';
import type { Plan } from '../bulk/plan.ts';
import type { Role, User } from '../db/schema.ts';
import type { ErasureState } from '../erasure/progress.ts';
import type { HistoryState } from '../history/address.ts';
import type { DescribedEntry, DescribedSet, Person } from '../history/descriptions.ts';
import type { FieldChanges, KeptValues } from '../history/fields.ts';
import type { ImportCounts } from '../history/import-counts.ts';
import type { HistoryPage } from '../history/list.ts';
import type { ChangeOfSet } from '../history/queries.ts';
import type { StateAt } from '../history/state-at.ts';
import type { Timeline } from '../history/timeline.ts';
import type { OfferedColumn } from '../imports/choices.ts';
import type { FormerValues } from '../imports/former-values.ts';
import type { Import } from '../imports/queries.ts';
import type { RefusedPage } from '../imports/stage-reader.ts';
import type { Choices, HowRead, RefusedRow, ShownRow, Totals } from '../imports/types.ts';
import type { MailOutcome } from '../invitations/mailer.ts';
import type { Link } from '../invitations/queries.ts';
import type { Job } from '../jobs/queries.ts';
import type { Errors, Fields } from '../lib/forms.ts';
import type { Page, Total } from '../lib/pagination.ts';
import type { Status } from '../maintenance/status.ts';
import type { Term } from '../search/terms.ts';
import type { FirstSteps } from '../setup/first-steps.ts';
import type { Part } from '../undo/conflicts.ts';
import type { Holders } from '../undo/form.ts';
import type { Step } from '../undo/steps.ts';
import type { Difference } from '../users/concurrent-changes.ts';
import type { ShownConflict } from '../users/conflict.ts';
import type { Counts } from '../users/counts.ts';
import type { Former, OfferedFormer } from '../users/former-names.ts';
import type { Selection } from '../users/list/selection.ts';
import type { ListState } from '../users/list/state.ts';
import { takeFlash } from './flash.ts';
import { fromOf } from './return-list.ts';
import { createEta } from './templates.ts';

type PageRequest = {
  session: Session | undefined;
  actor: Actor | undefined;
  isOpen: boolean;
};

type PageContext = PageRequest & { flash: string | undefined };

type Sessions = Awaited<ReturnType<typeof findSessionsOf>>;

export type Access = {
  /** null for never, 0 where that is not known; without minutes for those who do not give access. */
  lastSignIn: number | null;
  managed: Managed | undefined;
};

export type Managed = {
  passwordSetAt: number | undefined;
  hasSecondFactor: boolean;
  isSecondFactorLocked: boolean;
  isLastAdministrator: boolean;
  sessions: Sessions;
  link: Link | undefined;
};

export type Views = {
  'users/list': {
    list: ListState;
    /** None when it would take too long to find. */
    page: Page<User> | undefined;
    counts: Counts;
    everyone: number;
    terms: readonly Term[];
    notices: string[];
    firstSteps?: FirstSteps | undefined;
    warnings?: readonly string[];
    ticked: Selection['ticked'];
    wrongPage?: string | undefined;
  };
  'users/show': {
    user: User;
    from: ListState;
    access: Access | undefined;
    canSend: boolean;
    timeline: Omit<Timeline, 'entries'> & { entries: readonly DescribedEntry[] };
    isEarlier: boolean;
    lastDay: string;
    wrongDay: { typed: string; error: string } | undefined;
  };
  'users/as-of': {
    user: KeptValues & { id: number };
    from: ListState;
    at: number;
    isNow: boolean;
    state: StateAt;
    seesAccess: boolean;
  };
  'users/deleted': {
    deleted: KeptValues & Pick<User, 'id' | 'version'>;
    row: DescribedSet;
    from: ListState;
    values: Fields | undefined;
    errors: Errors;
    holders: { username?: User; email?: User };
    /** What was sent and not done: a change, since they were deleted meanwhile; bringing back whoever was deleted again; somebody new. */
    why?: 'meanwhile' | 'again' | 'new';
    wrongDay?: string;
  };
  'erasure/ask': { deleted: KeptValues & Pick<User, 'id'>; typed: string; error: string | undefined };
  'erasure/erased': { id: number; row: DescribedSet; state: ErasureState };
  'bulk/show': {
    plan: Plan;
    list: ListState;
    back: string;
    address: string;
    /** Sealed: to whom it is done, as they were shown. */
    seen: string;
    drift: Drift | undefined;
    error: string | undefined;
    role: string | undefined;
  };
  'users/conflict': ShownConflict & {
    heading: string;
    action: string;
    page: string;
  };
  'users/form': {
    user: User | undefined;
    from: ListState;
    values: Fields;
    errors: Errors;
    holders: { username?: Former; email?: Former };
    /** Who is deleted, and had the username or email of somebody new. */
    former: readonly OfferedFormer[];
    version: number | undefined;
    isDraft: boolean;
  };
  'users/delete': {
    user: User;
    from: ListState;
    access: Access | undefined;
    changed?: readonly Difference[] | undefined;
  };
  'auth/sign-in': {
    next: string;
    username?: string;
    draft?: SealedForm | undefined;
    ticket?: string;
    isRecovery?: boolean;
    problem?: string;
    note?: string;
    /** Whether a session has ended, something was sent without one, more than a click, and it ended with the account. */
    isExpired?: boolean;
    isRefused?: boolean;
    isTyped?: boolean;
    isDeactivated?: boolean;
  };
  'auth/sign-out': {
    session: Session;
    other?: string;
    next: string;
  };
  'account/show': {
    session: Session;
    user: User;
    sessions: Sessions;
    recoveryCodes: number;
    changedAt: number;
    errors: Errors;
  };
  'account/profile': {
    user: User;
    values: Fields;
    errors: Errors;
    holders: { email?: User };
    version: number;
    isDraft: boolean;
  };
  'account/code': {
    qr: { size: number; path: string };
    secret: string;
    sealed: string;
    /** Whether one is set, of which it takes the place. */
    isAnother: boolean;
    next: string;
    errors: Errors;
  };
  'account/recovery-codes': {
    codes: readonly string[];
    warning: string;
    where: string;
    madeAt: number;
    next: string;
  };
  'invitations/new': {
    from: ListState;
    values: Fields;
    errors: Errors;
    holders: { username?: Former; email?: Former };
    /** Who is deleted, and had the username or email of somebody new. */
    former: readonly OfferedFormer[];
    isDraft: boolean;
    canSend: boolean;
  };
  'invitations/link': {
    user: User;
    from: ListState;
    key: string;
    link: string;
    endsAt: number;
    mailto: string;
    mail: MailOutcome | undefined;
    canSend: boolean;
    isForOthers: boolean;
    isInvited: boolean;
  };
  'invitations/form': { user: Pick<User, 'id' | 'username'>; action: string; errors: Errors };
  'setup/form': { action: string; values: Fields; errors: Errors };
  'history/list': {
    state: HistoryState;
    rows: readonly DescribedSet[];
    page: HistoryPage;
    notices: string[];
    unknown: string[];
  };
  'history/change-set': {
    row: DescribedSet;
    lines: { whom: Person; fields: FieldChanges; fate: 'created' | 'deleted' | undefined }[];
    next: ChangeOfSet | undefined;
    isFirst: boolean;
    job: Job | undefined;
    mayGoOn: boolean;
    isForgotten: boolean;
    isOfOne: boolean;
    leftOut: readonly Person[];
    goneOnBy: Person | undefined;
    /** `?from=page%3D2`, or nothing; and the list that it leads back to, if there is one. */
    from: string;
    list: ListState | undefined;
    erased?: ErasureState | undefined;
  };
  'undo/show': {
    row: DescribedSet;
    part: Part | undefined;
    /** About whom it is to be decided here, and about how many it is elsewhere, since they are too many. */
    conflicts: readonly Step[];
    others: number;
    withoutConflict: readonly Step[];
    /** There are too many to look at each beforehand. */
    isLarge: boolean;
    /** Of an import, whom nobody has changed since, if that was counted. */
    untouched: ImportCounts | undefined;
    left: readonly Step[];
    leftInAll: number;
    seen: string;
    fields: Fields;
    errors: Errors;
    holders: Holders;
    isChanged: boolean;
    isDraft: boolean;
    /** `?from=page%3D2`, or nothing. */
    from: string;
    /** Where it was begun. */
    back: string;
  };
  'exports/export': {
    selection: Selection;
    total: Total | undefined;
    formats: readonly (readonly [value: string, label: string, says: string])[];
    format: string;
    /** How many there were when it was asked for, and are not any more. */
    promised: number | undefined;
  };
  'exports/waiting': { selection: Selection };
  'imports/choose': {
    own: readonly Import[];
    /** The last ones that were applied, by whomever. */
    rows: readonly DescribedSet[];
    of: string | undefined;
    error: string | undefined;
  };
  'imports/progress': {
    imported: Import;
    done: number;
    total: number | undefined;
    /** Of what has been read so far. */
    totals: Totals | undefined;
    isHere: boolean;
    hasFailed: boolean;
    /** Another file comes first: whose, by name if that is known, and how many of its rows have been looked at. */
    waitsFor: { who: string | undefined; isOwn: boolean; read: number } | undefined;
  };
  'imports/check': {
    imported: Import;
    how: HowRead;
    totals: Totals;
    columns: readonly OfferedColumn[];
    /** The first of them; undefined where another machine has them. */
    rows:
      | ({
          refused: readonly RefusedRow[];
          changed: readonly (ShownRow & { former: readonly FormerValues[] })[];
          differences: readonly string[];
          /** Who is deleted, and had the username or email of somebody who would be created. */
          former: readonly Former[];
          moreFormer: number;
          /** Full names that may have lost letters. */
          doubtful: readonly { line: number; name: string }[];
        } & Readonly<Record<'created' | 'same', readonly ShownRow[]>>)
      | undefined;
    /** Whether Roster was changed since its rows were judged. */
    isOutdated: boolean;
    isHere: boolean;
  };
  'imports/result': {
    imported: Import;
    how: HowRead | undefined;
    choices: Choices;
    totals: Totals | undefined;
    columns: readonly OfferedColumn[];
    row: DescribedSet | undefined;
    hasRefused: boolean;
    /** Of one that was taken back: of how many something stays, and some of them. */
    left: { count: number; some: readonly Person[] };
    isList: boolean;
  };
  'imports/refused-rows': { imported: Import; how: HowRead; totals: Totals; page: RefusedPage };
  'imports/taking-back': { imported: Import; job: Job };
  'maintenance/status': { status: Status; now: number; proxyProblems: readonly string[] };
  'roles/list': { roles: readonly Role[]; required: readonly Role[]; before: string; isDraft: boolean };
  error: {
    title: string;
    sentence: string;
    link?: { href: string; text: string } | undefined;
    /** Where the log has it. */
    requestId?: string | undefined;
    notices?: string[];
  };
};

declare module 'fastify' {
  interface FastifyInstance {
    view<V extends keyof Views>(view: V, data: Views[V] & PageContext): string;
  }
  interface FastifyReply {
    render<V extends keyof Views>(view: V, data: Views[V], status?: number): Promise<FastifyReply>;
  }
}

/** Where something was not as it should be; not where someone may not ask, or the database does not answer. */
const REFUSED: ReadonlySet<number> = new Set([404, 409, 422]);

export function addViews(app: FastifyInstance): void {
  const eta = createEta(app.config.origin, app.clock);
  const toHtml = (view: string, data: object) => eta.render(`/${view}`, data);
  app.decorate('view', toHtml);
  app.decorateReply('render', async function (this: FastifyReply, view: string, data: object, status = 200) {
    // Of two clicks the second may find used up what the first has used since it was last looked at.
    const kept = REFUSED.has(status) && (await findKeptAnswer(this.request));
    if (kept) return this.answer(kept);
    // The status comes last: a view that fails is then still a 500.
    const { session, actor, isOpen } = this.request;
    const asking: PageRequest = { session, actor, isOpen };
    const flash = takeFlash(this);
    const html = toHtml(view, {
      ...asking,
      ...data,
      flash: flash?.sentence,
      draftKey: draftKeyOf(this.request),
      draftForm: draftFormOf(this.request),
      undo: flash?.undo,
      undoFrom: flash?.undo === undefined ? '' : fromOf(this.request),
      isNothingDone: flash?.isNothing === true,
    });
    // A page with a secret has said that it must not be kept at all.
    if (!this.hasHeader('cache-control')) this.header('cache-control', 'private, no-cache');
    // What went wrong may go well the next time, though nothing was changed.
    if (status !== 200) this.removeHeader('etag');
    this.type('text/html; charset=utf-8');
    return this.code(status).send(html);
  });
}
