/** Work that nobody waits for: begun when Roster starts to listen, again now and then, and whenever it is asked for. */
import type { FastifyInstance } from 'fastify';

/** @param work never rejects, and is waited for at the end @returns has it begun once what is under way is done, so that nothing is missed */
export function inBackground(
  app: FastifyInstance,
  interval: number,
  work: (isEnding: () => boolean) => Promise<void>,
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let isEnding = false;
  const run = () => {
    running = running.then(() => work(() => isEnding));
    return running;
  };
  app.addHook('onListen', async () => {
    void run();
    timer = setInterval(() => void run(), interval).unref();
  });
  app.addHook('onClose', async () => {
    isEnding = true;
    clearInterval(timer);
    await running;
  });
  return run;
}
