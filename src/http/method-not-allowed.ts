/** 405 for a method that an address does not have; but Enter in the address bar, after a refusal, leads to its form. */
import { METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { formOf } from '../auth/kept-forms.ts';
import { nobody } from '../auth/policy.ts';

/** Call it before the first route; what `closeMethods` needs is collected from then on. */
export function collectMethods(app: FastifyInstance): { closeMethods(html: FastifyInstance): void } {
  const methodsByUrl = new Map<string, Set<string>>();
  const forms = new Map<string, string>();
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method) && method !== 'CONNECT')
      app.addHttpMethod(method, { hasBody: true });
  }
  app.addHook('onRoute', ({ url, method, config: { form } = {} }) => {
    if (form !== undefined) forms.set(url, form);
    const methods = methodsByUrl.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    methodsByUrl.set(url, methods);
  });
  return {
    /** Call it after the last route; the answer is a page. */
    closeMethods(html) {
      for (const [url, methods] of [...methodsByUrl]) {
        const allow = [...methods].sort().join(', ');
        const form = forms.get(url);
        const isPage = methods.has('GET');
        html.route({
          url,
          method: app.supportedMethods.filter((method) => !methods.has(method)),
          exposeHeadRoute: false,
          config: { may: nobody, ...(form !== undefined && { form }) },
          onRequest: async (request, reply) => {
            const page = ['GET', 'HEAD'].includes(request.method) ? formOf(request) : undefined;
            if (page !== undefined) return reply.seeOther(page);
            reply.header('allow', allow);
            const sentence = `This address does not answer ${request.method}; it answers ${allow}. Nothing was changed.`;
            const link = isPage ? { href: request.url, text: 'Open this page' } : undefined;
            return reply.renderError({ title: 'Method not allowed', sentence, link }, 405);
          },
          handler: () => {},
        });
      }
    },
  };
}
