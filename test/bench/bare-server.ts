/** The baseline that only answers: what node:http does when every answer is there already. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer } from './answers.ts';

const [file = ''] = process.argv.slice(2);
const recorded: [address: string, answer: Answer][] = JSON.parse(readFileSync(file, 'utf8'));
const answers = new Map(
  recorded.map(([address, { body, ...head }]) => [address, { ...head, body: Buffer.from(body) }]),
);
// One user's page stands for every other's: it was recorded last when users are asked for.
const newest = [...answers.values()].at(-1);

const server = createServer((request, response) => {
  const answer = answers.get(`${request.method} ${request.url}`) ?? newest;
  if (answer === undefined) throw new Error('There is nothing to answer.');
  const send = () => response.writeHead(answer.status, answer.headers).end(answer.body);
  if (request.method === 'POST') request.resume().once('end', send);
  else send();
});
server.listen(0, '127.0.0.1', () => {
  console.log(`The bare server is at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
