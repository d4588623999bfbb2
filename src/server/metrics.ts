/**
 * Metrics for Prometheus, by prom-client, which takes 51 ms to load: so it is loaded when a server begins, and by nobody else.
 *
 * What happens with every request is counted in plain arrays, and given to prom-client when somebody asks.
 */

import type { Histogram, Registry } from 'prom-client';
import type { DatabaseStatus, StoreStatus } from './status.js';

/** What is counted and measured. */
export interface Metrics {
  /** A request was answered, after so many milliseconds. */
  answered(route: string, status: number, took: number): void;
  /** Something was found. */
  found(kind: 'lookup' | 'tile', layer: 'memory' | 'store' | 'upstream'): void;
  /** Something was read upstream; `outcome` is `ok`, or that of the error. */
  read(way: string, outcome: string): void;
  /** An answer from upstream did not authenticate; by the error's code. */
  unproved(code: string): void;
  /** All of it, in Prometheus' text form. */
  readonly text: () => Promise<string>;
}

/** Seconds: from what memory gives to what upstream takes. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The media type of Prometheus' text form. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What metrics are of. */
export interface MetricsOptions {
  readonly version: string;
  /** Of the databases, as they are when somebody asks. */
  readonly statuses: () => readonly DatabaseStatus[];
  /** Of what is kept, likewise. */
  readonly store: () => StoreStatus;
  /** Gives those of all processes, where there are several: see `metricsOfAll`. */
  readonly all?: (() => Promise<string>) | undefined;
}

/** Opens the metrics of a process. */
export async function openMetrics({ version, statuses, store, all }: MetricsOptions): Promise<Metrics> {
  const { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } = await import('prom-client');
  const registry: Registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'gosumcheck_build_info', help: 'The version that runs.', labelNames: ['version'], aggregator: 'first', registers }).set({ version }, 1);

  const requests = new Map<string, number[]>();
  counter('gosumcheck_http_requests_total', 'Requests answered.', ['route', 'code'], function* () {
    for (const [route, byStatus] of requests) for (const [status, count] of Object.entries(byStatus)) yield [[route, status], count];
  });
  const found = { lookup: { memory: 0, store: 0, upstream: 0 }, tile: { memory: 0, store: 0, upstream: 0 } };
  counter('gosumcheck_cache_answers_total', 'Answers, by where they were found.', ['kind', 'layer'], function* () {
    for (const [kind, layers] of Object.entries(found)) for (const [layer, count] of Object.entries(layers)) yield [[kind, layer], count];
  });
  counter('gosumcheck_store_rows_refused_total', 'Rows of the data file that were not as they were written.', [], () => [[[], store().refused]]);
  counter('gosumcheck_store_files_set_aside_total', 'Damaged data files that were set aside.', [], () => [[[], store().setAside]]);
  counter('gosumcheck_store_changes_unkept_total', 'Changes that could not be kept when they were made.', [], () => [[[], store().unkept]]);
  const reads = new Counter({ name: 'gosumcheck_upstream_requests_total', help: 'Reads upstream.', labelNames: ['way', 'outcome'], registers });
  const failures = new Counter({
    name: 'gosumcheck_verification_failures_total',
    help: 'Answers from upstream that did not authenticate.',
    labelNames: ['kind'],
    registers,
  });
  const durations = new Histogram({
    name: 'gosumcheck_http_request_duration_seconds',
    help: 'Seconds from the end of the headers to the answer.',
    labelNames: ['route'],
    buckets: BUCKETS,
    registers,
  });
  const byRoute = new Map<string, Histogram.Internal<'route'>>();

  gauge('gosumcheck_head_size', 'Records in the tree that is served.', ({ head }) => head?.size);
  gauge('gosumcheck_head_verified_timestamp_seconds', 'When upstream last showed a tree head that verified.', ({ verifiedAt }) => seconds(verifiedAt));
  gauge('gosumcheck_head_grown_timestamp_seconds', 'When the tree was last seen to grow.', ({ grownAt }) => seconds(grownAt));
  gauge('gosumcheck_fork_detected', 'Whether the log was seen to contradict itself.', ({ forked }) => (forked ? 1 : 0));

  new Gauge({
    name: 'gosumcheck_upstream_way_in_service',
    help: 'Whether a way to the log is in service.',
    labelNames: ['database', 'way'],
    aggregator: 'min',
    registers,
    collect() {
      for (const { name, ways } of statuses()) for (const { label, inService } of ways) this.set({ database: name, way: label }, inService ? 1 : 0);
    },
  });

  if (all !== undefined) {
    // answers the parent, which adds up
    AggregatorRegistry.setRegistries(registry);
    new AggregatorRegistry();
  }
  return {
    answered(route, status, took) {
      let byStatus = requests.get(route);
      if (byStatus === undefined) requests.set(route, (byStatus = []));
      byStatus[status] = (byStatus[status] ?? 0) + 1;
      let duration = byRoute.get(route);
      if (duration === undefined) byRoute.set(route, (duration = durations.labels(route)));
      duration.observe(took / 1000);
    },
    found(kind, layer) {
      found[kind][layer]++;
    },
    read: (way, outcome) => reads.inc({ way, outcome }),
    unproved: (kind) => failures.inc({ kind }),
    text: all ?? (() => registry.metrics()),
  };

  function counter(name: string, help: string, labelNames: string[], counts: () => Iterable<[string[], number]>): void {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [labels, count] of counts()) this.labels(...labels).inc(count);
      },
    });
  }

  function gauge(name: string, help: string, valueOf: (status: DatabaseStatus) => number | undefined): void {
    new Gauge({
      name,
      help,
      labelNames: ['database'],
      aggregator: 'max',
      registers,
      collect() {
        for (const status of statuses()) {
          const value = valueOf(status);
          if (value !== undefined) this.set({ database: status.name }, value);
        }
      },
    });
  }
}

function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}

/** Gives, in the parent of several processes, how to add up the metrics of all. */
export async function metricsOfAll(): Promise<() => Promise<string>> {
  const { AggregatorRegistry } = await import('prom-client');
  const all = new AggregatorRegistry();
  return () => all.clusterMetrics();
}
