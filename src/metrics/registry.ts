/** The families as Prometheus series. */
import { Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import { FAMILIES, type Family, type FamilyName, SECONDS_BUCKETS } from './families.ts';

type Labels = Record<string, string>;

export interface Sample {
  labels: Labels;
  value: number;
}

export interface Series {
  inc(name: FamilyName, labels: Labels, by?: number): void;
  set(name: FamilyName, labels: Labels, value: number): void;
  observe(name: FamilyName, labels: Labels, value: number): void;
  /** all samples of a family that is read from rows */
  replace(name: FamilyName, samples: readonly Sample[]): void;
  /** Prometheus text format 0.0.4 */
  text(): Promise<string>;
  contentType: string;
}

export function createSeries(): Series {
  const registry = new Registry();
  const all = new Map<FamilyName, Metric>();
  for (const [name, family] of Object.entries(FAMILIES) as [FamilyName, Family][]) {
    const form = { name, help: family.help, labelNames: [...family.labels], registers: [registry] };
    if (family.type === 'counter') all.set(name, new Counter(form));
    else if (family.type === 'gauge') all.set(name, new Gauge(form));
    else all.set(name, new Histogram({ ...form, buckets: SECONDS_BUCKETS }));
  }
  const add = (name: FamilyName, { labels, value }: Sample) => {
    const metric = all.get(name);
    if (metric instanceof Counter) metric.inc(labels, value);
    else if (metric instanceof Gauge) metric.set(labels, value);
  };
  return {
    inc: (name, labels, by = 1) => add(name, { labels, value: by }),
    set: (name, labels, value) => add(name, { labels, value }),
    observe: (name, labels, value) => {
      const metric = all.get(name);
      if (metric instanceof Histogram) metric.observe(labels, value);
    },
    replace: (name, samples) => {
      all.get(name)!.reset();
      for (const sample of samples) add(name, sample);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
