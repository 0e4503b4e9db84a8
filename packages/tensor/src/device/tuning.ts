/** What a device knows of kernel choices, in types: a cache of measured ones, those of the package, those made so far, and how a table holds them. */

/** Choices of kernel variants by tuning key: what was measured, kept from one process to the next. */
export interface TuneCache {
  get(key: string): string | undefined;
  set(key: string, variant: string): void;
}

/**
 * Where a choice comes from: `pinned` in `target.tuned`, a `table` of a run before, the `cache`, a table `shipped` with the package, `measured` just
 * now, or the `default`: on GPUs what the model of the op expects to be fastest, on software adapters what a rule says.
 */
export type ChoiceOrigin = 'pinned' | 'table' | 'cache' | 'shipped' | 'measured' | 'default';

/** Choices of one adapter as JSON. */
export interface TuningTable {
  /** What the adapter and its driver call themselves. */
  readonly adapter: string;
  /** Of this package. */
  readonly version: string;
  /** ISO 8601. */
  readonly date: string;
  readonly choices: Readonly<Record<string, string>>;
  /** Where each choice came from, in the table of a run. */
  readonly origins?: Readonly<Record<string, ChoiceOrigin>>;
}

export interface MadeChoice {
  readonly variant: string;
  readonly origin: ChoiceOrigin;
}

/** What a device chooses by; the first that knows decides: `target.tuned`, `made`, `cache`, `shipped`, a measurement. */
export interface Tuning {
  /** Undefined: nothing is measured. */
  readonly cache: TuneCache | undefined;
  readonly shipped: Readonly<Record<string, string>>;
  /** Seconds that compiling one step may spend on measuring. */
  readonly seconds: number;
  /** What was chosen on this device so far, and what the table of a run says; a choice never changes again. */
  readonly made: Map<string, MadeChoice>;
}

/** How the kernels of a step were chosen. */
export interface TuningReport {
  /** How many choices there were of each origin. */
  readonly choices: Readonly<Record<ChoiceOrigin, number>>;
  /** Seconds that measuring took. */
  readonly seconds: number;
  /** Choices that should have been measured and are the default, as the time was used up. */
  readonly unmeasured: number;
  /** Choices of a run's table that name kernels which there are no more, and were made anew. */
  readonly lost: number;
  /** Kernels that computed something else than they should, as `key: variant`; none of them was chosen unless all of the op are wrong. */
  readonly wrong: readonly string[];
}

/** The content of a file as a table; undefined if it is none. */
export function tuningTableOf(content: unknown): TuningTable | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const { adapter, version, date, choices, origins } = content as Record<string, unknown>;
  const isText = (value: unknown): value is string => typeof value === 'string';
  const isTexts = (value: unknown): value is Record<string, string> =>
    typeof value === 'object' && value !== null && Object.values(value).every(isText);
  if (!isText(adapter) || !isText(version) || !isText(date) || !isTexts(choices)) return undefined;
  if (origins !== undefined && !isTexts(origins)) return undefined;
  return content as TuningTable;
}
