/** All migrations, in their order: how many they are is the version of a database. */
import type { Migration } from './migrate.ts';
import * as users from './migrations/0001-users.ts';
import * as search from './migrations/0002-search.ts';
import * as access from './migrations/0003-access.ts';
import * as door from './migrations/0004-door.ts';
import * as heartbeats from './migrations/0005-heartbeats.ts';
import * as names from './migrations/0006-names.ts';
import * as lastSignIn from './migrations/0007-last-sign-in.ts';
import * as madeUpPeople from './migrations/0008-made-up-people.ts';
import * as history from './migrations/0009-history.ts';
import * as keptAnswers from './migrations/0010-kept-answers.ts';
import * as jobs from './migrations/0011-jobs.ts';
import * as pauses from './migrations/0012-pauses.ts';
import * as lastSignIns from './migrations/0013-last-sign-ins.ts';
import * as erasures from './migrations/0014-erasures.ts';
import * as roles from './migrations/0015-roles.ts';
import * as imports from './migrations/0016-imports.ts';
import * as maintenance from './migrations/0017-maintenance.ts';
import * as absentUsers from './migrations/0018-absent-users.ts';
import * as quickChecks from './migrations/0019-quick-checks.ts';
import * as searchStatistics from './migrations/0020-search-statistics.ts';
import * as searchList from './migrations/0021-search-list.ts';

export const MIGRATIONS: readonly Migration[] = [
  users,
  search,
  access,
  door,
  heartbeats,
  names,
  lastSignIn,
  madeUpPeople,
  history,
  keptAnswers,
  jobs,
  pauses,
  lastSignIns,
  erasures,
  roles,
  imports,
  maintenance,
  absentUsers,
  quickChecks,
  searchStatistics,
  searchList,
];
