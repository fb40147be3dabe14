/** What is measured, and how Prometheus reads it (https://prometheus.io/docs/instrumenting/exposition_formats/). */
// By hand: these lines are all of a client that is needed. prom-client, and @prometheus-io/client after it, take four times as long
// for each request, set no bound to the series, and bring three packages more.

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;
/** `suffix`: of a histogram, whose name is that of several. */
export type Sample = { value: number; labels?: Labels; suffix?: string };

export type Family = {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  samples: readonly Sample[];
};

/** Of one name: with what else there is, and a dozen replicas, they are 500 at most. */
export const MOST_SERIES = 200;

type Value = number | undefined | readonly Sample[];

export function gauge(name: string, help: string, value: Value): Family {
  return { name, type: 'gauge', help, samples: samplesOf(value) };
}

export function counter(name: string, help: string, value: Value): Family {
  return { name, type: 'counter', help, samples: samplesOf(value) };
}

export function by(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ value, labels: { [label]: name } }));
}

export function toText(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(familyText)
    .join('');
}

function samplesOf(value: Value): readonly Sample[] {
  if (value === undefined) return [];
  return typeof value === 'number' ? [{ value }] : value;
}

function familyText({ name, type, help, samples }: Family): string {
  const lines = samples.map(
    ({ value, labels = {}, suffix = '' }) => `${name}${suffix}${labelsText(labels)} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function labelsText(labels: Labels): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return all.length > 0 ? `{${all.join()}}` : '';
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
