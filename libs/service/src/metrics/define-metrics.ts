import type { Attributes, Meter, ObservableResult } from '@opentelemetry/api';

interface Definition<Kind extends string, Label extends string> {
  kind: Kind;
  /** OpenTelemetry name; `/metrics` shows it with underscores, counters end in `_total`. */
  name: string;
  /** UCUM unit: `s`, `By`, `{run}`. */
  unit: string;
  help: string;
  labels: readonly Label[];
}

export interface CounterDefinition<Label extends string> extends Definition<'counter', Label> {}
export interface LevelDefinition<Label extends string> extends Definition<'level', Label> {}
export interface GaugeDefinition<Label extends string> extends Definition<'gauge', Label> {}
export interface HistogramDefinition<Label extends string> extends Definition<'histogram', Label> {
  /** Upper bounds of the buckets, ascending, in the metric's unit. */
  buckets: readonly number[];
}

type AnyDefinition =
  CounterDefinition<string> | LevelDefinition<string> | GaugeDefinition<string> | HistogramDefinition<string>;

type Labels<Label extends string> = [Label] extends [never] ? [] : [labels: Readonly<Record<Label, string>>];

/** Only goes up. */
export interface Counter<Label extends string> {
  add(amount: number, ...labels: Labels<Label>): void;
}

/** Goes up and down, told by its changes: work that is under way. */
export interface Level<Label extends string> {
  change(by: number, ...labels: Labels<Label>): void;
}

/** Goes up and down, asked for when somebody looks: the depth of a queue. */
export interface Gauge<Label extends string> {
  /** `read` runs at every scrape and reports the current values; it must be quick and must not throw. */
  observe(read: (report: (value: number, ...labels: Labels<Label>) => void) => void | Promise<void>): void;
}

/** How values are spread: durations and sizes. */
export interface Histogram<Label extends string> {
  record(value: number, ...labels: Labels<Label>): void;
}

type Instrument<D> =
  D extends HistogramDefinition<infer Label>
    ? Histogram<Label>
    : D extends CounterDefinition<infer Label>
      ? Counter<Label>
      : D extends LevelDefinition<infer Label>
        ? Level<Label>
        : D extends GaugeDefinition<infer Label>
          ? Gauge<Label>
          : never;

export type MetricDefinitions = Readonly<Record<string, AnyDefinition>>;
export type Metrics<T extends MetricDefinitions> = { readonly [Name in keyof T]: Instrument<T[Name]> };

/** Makes the instruments of a table of definitions; label names and the right verb are checked by the compiler. */
export function defineMetrics<const T extends MetricDefinitions>(meter: Meter, definitions: T): Metrics<T>;
export function defineMetrics(meter: Meter, definitions: MetricDefinitions): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(definitions).map(([key, definition]) => [key, instrumentFor(meter, definition)]),
  );
}

function instrumentFor(meter: Meter, definition: AnyDefinition): unknown {
  const options = { description: definition.help, unit: definition.unit };
  switch (definition.kind) {
    case 'counter':
      return meter.createCounter(definition.name, options);
    case 'histogram':
      return meter.createHistogram(definition.name, {
        ...options,
        advice: { explicitBucketBoundaries: [...definition.buckets] },
      });
    case 'level': {
      const counter = meter.createUpDownCounter(definition.name, options);
      return { change: (by: number, labels?: Attributes) => counter.add(by, labels) };
    }
    case 'gauge': {
      const gauge = meter.createObservableGauge(definition.name, options);
      return { observe: (read: Reader) => gauge.addCallback((result) => read(reporterOf(result))) };
    }
  }
}

type Reader = (report: (value: number, labels?: Attributes) => void) => void | Promise<void>;

function reporterOf(result: ObservableResult): (value: number, labels?: Attributes) => void {
  return (value, labels) => result.observe(value, labels);
}
