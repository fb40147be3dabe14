/** Addresses as they are logged: without the tokens in them, each of which lets someone in. */

/** As long as 32 bytes are in base64url; a longer run may hold one. */
const TOKEN = /[\w-]{43,}/g;
const ENCODED = /%(2[\da-f]|[3-6][\da-f]|7[\da-e])/gi;
/** How often what is encoded may be encoded again before nobody follows it any more. */
const MOST_LAYERS = 8;

/** The address itself, or, where it holds a token, what it says once decoded, with `…` for that. */
export function withoutTokens(address: string): string {
  const decoded = decodedThroughout(address);
  return decoded.search(TOKEN) < 0 ? address.replaceAll(TOKEN, '…') : decoded.replaceAll(TOKEN, '…');
}

function decodedThroughout(address: string): string {
  let decoded = address;
  for (let layer = 0; layer < MOST_LAYERS && decoded.includes('%'); layer++) {
    decoded = decoded.replaceAll(ENCODED, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return decoded;
}
