/** A file to fill in, with the columns that an export has. */
import { FORMATS } from '../exports/formats.ts';

/** Who is imported by mistake cannot sign in, is deactivated, and has an address that is nobody's (RFC 2606). */
const EXAMPLES = [
  { username: 'example.ada', email: 'ada@example.invalid', full_name: 'Ada Example' },
  { username: 'example.jose', email: 'jose@example.invalid', full_name: 'José Example' },
].map((user) => ({ ...user, is_active: false, role: 'member' }) as const);

export function template(): string {
  return FORMATS.csv.begin + FORMATS.csv.write(EXAMPLES);
}
