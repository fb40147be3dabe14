/** Where imported files lie: an import that names a file with its ending is that file, which Node would look for each time. */
import module from 'node:module';

const EMPTY = 'data:text/javascript,';
/** What packages load and nobody here asks for, 86 files: sentences in other languages, other databases. */
const UNUSED = [
  { by: /\/zod\/v4\/\w+\/\w+\.js$/, what: /^\.\.\/locales\/index\.js$/ },
  {
    by: /\/kysely\/dist\/index\.js$/,
    what: /^\.\/(dialect\/(mssql|mysql|pglite)|plugin\/(camel|deduplicate|handle|parse|safe)-)/,
  },
];

/** A fifth of what a start takes: a thousand files name others four thousand times. */
export function resolveAsWritten() {
  module.registerHooks({
    resolve(specifier, context, next) {
      const ending = endingOf(specifier);
      // What is required, and not imported, may be without its ending even so.
      if (ending === undefined || !context.conditions.includes('import')) return next(specifier, context);
      if (isUnused(specifier, context.parentURL)) return { url: EMPTY, shortCircuit: true };
      const { href } = new URL(specifier, context.parentURL);
      return { url: href, format: ending === 'ts' ? 'module-typescript' : undefined, shortCircuit: true };
    },
  });
}

/** @param {string} specifier */
function endingOf(specifier) {
  return /^\.\.?\/.*\.(ts|js)$/.exec(specifier)?.[1];
}

/** @param {string} specifier @param {string} [parent] */
function isUnused(specifier, parent = '') {
  return UNUSED.some(({ by, what }) => what.test(specifier) && by.test(parent));
}
