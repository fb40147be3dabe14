/** What Node's inspector says about a process: https://chromedevtools.github.io/devtools-protocol/v8/ */

export type Inspector = {
  ask<T = unknown>(method: string, params?: object): Promise<T>;
  close(): void;
};

type Said = { id?: number; result?: unknown; error?: { message: string } };

/** @param port of a process on this machine that was begun with --inspect */
export async function inspect(port: number): Promise<Inspector> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(String(target?.webSocketDebuggerUrl));
  const waiting = new Map<number, (said: Said) => void>();
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const said: Said = JSON.parse(String(data));
    waiting.get(Number(said.id))?.(said);
  });
  socket.addEventListener('close', () => {
    for (const answer of waiting.values()) answer({ error: { message: 'the process has ended' } });
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  return {
    async ask<T>(method: string, params = {}) {
      const { promise, resolve } = Promise.withResolvers<Said>();
      const id = ++last;
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
      const { result, error } = await promise;
      waiting.delete(id);
      if (error) throw new Error(`${method}: ${error.message}`);
      return result as T;
    },
    close: () => socket.close(),
  };
}
