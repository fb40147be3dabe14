/** Addresses as they are logged: without the tokens in them, each of which lets someone in. */
import { withoutUnseen } from './text.ts';

/** As long as 32 bytes are in base64url; a longer run may hold one. */
const TOKEN = /[\w-]{43,}/g;
const ENCODED = /(?:%[\da-f]{2})+/gi;
const MOST_LAYERS_OF_ENCODING = 8;

/** The address itself, or, where it holds a token, what it says once decoded, with `…` for that. */
export function withoutTokens(address: string): string {
  const decoded = withoutUnseen(decodedThroughout(address));
  return decoded.search(TOKEN) < 0 ? address : decoded.replaceAll(TOKEN, '…');
}

function decodedThroughout(address: string): string {
  let decoded = address;
  for (let layer = 0; layer < MOST_LAYERS_OF_ENCODING && decoded.includes('%'); layer++)
    decoded = decoded.replaceAll(ENCODED, (run) =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
    );
  return decoded;
}
