/** `/imports/:id/refused-rows`: every refused row with every reason, a hundred a page, as far as it is kept why. */
import type { FastifyReply } from 'fastify';
import { NotFoundError } from '../errors.ts';
import { wholeNumber } from '../lib/text.ts';
import { getImport } from './commands.ts';
import { findFolder } from './folder.ts';
import { checkedOf, howRead, totalsOf } from './json-columns.ts';
import type { Request } from './show.ts';
import { type RefusedPage, readStage } from './stage-reader.ts';
import { ROWS_GONE } from './words.ts';

const PER_PAGE = 100;

export async function showRefused(request: Request, reply: FastifyReply) {
  const { server, params, query, actor } = request;
  const imported = await getImport(server.db, params.id, actor);
  const isRead = howRead(imported) !== undefined && totalsOf(imported) !== undefined;
  const page = isRead
    ? readStage(findFolder(server.config.importFolder), imported, (stage): RefusedPage => {
        const before = wholeNumber(query.before ?? '');
        return before === undefined
          ? stage.refusedAfter(wholeNumber(query.after ?? '') ?? 0, PER_PAGE)
          : stage.refusedBefore(before, PER_PAGE);
      })
    : undefined;
  if (page === undefined) throw new NotFoundError(ROWS_GONE);
  return reply.render('imports/refused-rows', { imported, ...checkedOf(imported), page });
}
