/** 405 for a method that an address does not have; but Enter in the address bar, after a refusal, leads to its form. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import findMyWay from 'find-my-way';
import { nobody } from '../auth/policy.ts';
import { formOf } from '../auth/request-drafts.ts';
import { lazily } from '../lib/lazily.ts';
import { METHODS } from './node-http.ts';
import { notePattern, ROUTING } from './routing.ts';

type Address = { url: string; methods: Set<string>; form: string | undefined };

/** Call it before the first route; what `closeMethods` needs is collected from then on. */
export function collectMethods(app: FastifyInstance): { closeMethods(html: FastifyInstance): void } {
  const addresses = new Map<string, Address>();
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method) && method !== 'CONNECT')
      app.addHttpMethod(method, { hasBody: true });
  }
  app.addHook('onRoute', ({ url, method, config: { may, form } = {} }) => {
    if (may === nobody) return;
    const address = addresses.get(url) ?? { url, methods: new Set(), form: undefined };
    for (const name of [method].flat()) address.methods.add(name);
    address.form ??= form;
    addresses.set(url, address);
  });
  return {
    /** Call it after the last route; the answer is a page. */
    closeMethods(html) {
      const all = [...addresses.values()];
      const refuse = refuserOf(all);
      const close = (url: string, method: string[]) =>
        html.route({
          url,
          method,
          exposeHeadRoute: false,
          config: { may: nobody },
          onRequest: refuse,
          handler: () => {},
        });
      const used = new Set(all.flatMap(({ methods }) => [...methods]));
      // Else another address, less exactly this one, would answer.
      for (const { url, methods } of all) close(url, [...used.difference(methods)]);
      const unused = app.supportedMethods.filter((method) => !used.has(method));
      // A route for each of them and each address would take most of the time in which Roster starts to serve.
      close('/*', unused);
    },
  };
}

function refuserOf(addresses: readonly Address[]) {
  const router = lazily(() => {
    const made = findMyWay(ROUTING);
    // By one method, whichever it is: what is looked for is the address.
    for (const address of addresses) made.on('GET', address.url, () => {}, address);
    return made;
  });
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const found = router().find('GET', request.url);
    if (!found) return reply.callNotFound();
    const { url, methods, form } = found.store as Address;
    notePattern(request, url);
    const isRead = ['GET', 'HEAD'].includes(request.method);
    const page = isRead ? formOf(request, { form, params: found.params }) : undefined;
    if (page !== undefined) return reply.seeOther(page);
    const allow = [...methods].sort().join(', ');
    reply.header('allow', allow);
    const sentence = `This address does not answer ${request.method}; it answers ${allow}. Nothing was changed.`;
    const link = methods.has('GET') ? { href: request.url, text: 'Open this page' } : undefined;
    return reply.renderError({ title: 'Method not allowed', sentence, link }, 405);
  };
}
