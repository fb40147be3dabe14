/** Chromium is unpacked once, before threads come to do so at once: each takes for whole what another one still writes. */
import chromiumBinary from '@sparticuz/chromium';

export default async function setup(): Promise<void> {
  await chromiumBinary.executablePath();
}
