/** How far something is: at a terminal on one line that is written over, elsewhere on a line of its own now and then. */

const EVERY_MS = 5_000;

export class StatusLine {
  #said = performance.now();

  say(text: string): void {
    const now = performance.now();
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
    else if (now - this.#said < EVERY_MS) return;
    else console.log(text);
    this.#said = now;
  }

  clear(): void {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  }
}
