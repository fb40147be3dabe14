import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { applyAbsoluteForm } from '../../src/http/host.ts';

test.each([
  ['/users?q=http://evil.example/', '/users?q=http://evil.example/', 'localhost'],
  ['//evil.example/users', '//evil.example/users', 'localhost'],
  ['*', '*', 'localhost'],
  ['http://users.example.org/users?page=2', '/users?page=2', 'users.example.org'],
  ['HTTPS://[::1]:3000/a/../b', '/a/../b', '[::1]:3000'],
  ['http://users.example.org', '/', 'users.example.org'],
  ['http://users.example.org?q=/x', '/?q=/x', 'users.example.org'],
  ['http:///users', '/users', ''],
])('of %s the path is %s, and the host %s', (url, path, host) => {
  const request = Object.assign(new IncomingMessage(new Socket()), { url, headers: { host: 'localhost' } });
  expect(applyAbsoluteForm(request)).toBe(path);
  expect(request.headers.host).toBe(host);
});
