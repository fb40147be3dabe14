/** Bytes to Roster as they are, and its answers to them. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { listen } from '../support.ts';

export const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n';

export async function connectTo(app: FastifyInstance): Promise<Socket> {
  const { port } = new URL(await listen(app));
  const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** What comes until the end of a page, or of the connection. */
export async function readAnswer(socket: Socket): Promise<string> {
  let answer = '';
  socket.setEncoding('utf8').on('data', (data) => {
    answer += data;
    if (answer.endsWith('</html>\n')) socket.emit('answered');
  });
  await Promise.race([once(socket, 'answered'), once(socket, 'end')]);
  return answer;
}
