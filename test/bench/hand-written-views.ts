/** Roster's own templates, with the engine and the helpers that Roster renders them with, but without Fastify. */
import type { Eta } from 'eta';
import fastify from 'fastify';
import { addViews, type Views } from '../../src/views.ts';

type Render = <V extends keyof Views>(view: V, data: Views[V]) => string;

export async function openViews(): Promise<Render> {
  const app = fastify();
  await addViews(app);
  const { promise, resolve } = Promise.withResolvers<Render>();
  // What is no name of a view is called by @fastify/view, with the engine and all that every view is given.
  function takeOver(this: Eta, helpers: object): string {
    resolve((view, data) => this.render(view, { ...helpers, flash: undefined, ...data }));
    return '';
  }
  await app.view(takeOver as unknown as string, {});
  return promise;
}
