/**
 * Where a long computation stands, kept between runs. Whoever computes asks `load` for the state of an earlier run before
 * it begins, looks at `due` where it could save, and calls `done` when its result is there. What is saved is all that the
 * computation needs to end in the same bits as one that was never stopped.
 */
import { checkOption } from './errors';
import type { Json } from './outcome';

/** An array of saved progress. */
export type ProgressArray = Float32Array | Float64Array | Int32Array | Uint32Array;

/** Where a long computation stands: what it needs to go on to the same bits. */
export interface SavedProgress {
  readonly state: Json;
  readonly arrays: Readonly<Record<string, ProgressArray>>;
}

/** Keeps the progress of one computation between runs; of another computation it must not know. */
export interface ProgressKeeper {
  /** What was saved last and can be read; else undefined. */
  load(): Promise<SavedProgress | undefined>;
  /** Whether enough time has passed since the last save. */
  due(): boolean;
  /** Puts this in the place of what was saved. */
  save(progress: SavedProgress): Promise<void>;
  /** The computation came to its end: nothing is kept. */
  done(): Promise<void>;
}

/**
 * What a keeper has saved.
 *
 * @throws EvalsError `options` where the keeper is none
 */
export async function loadProgress(
  what: string,
  keeper: ProgressKeeper | undefined,
): Promise<SavedProgress | undefined> {
  if (!keeper) return undefined;
  for (const name of ['load', 'due', 'save', 'done'] as const)
    checkOption(typeof keeper[name] === 'function', `${what}: progress.${name} is no function; give a ProgressKeeper`);
  const saved = await keeper.load();
  if (saved === undefined) return undefined;
  const isProgress = typeof saved === 'object' && saved !== null && typeof saved.arrays === 'object';
  checkOption(isProgress, `${what}: progress.load gave none; it must be what was saved, or undefined`);
  return saved;
}

/**
 * One array of saved progress, of the type and length that the computation needs.
 *
 * @throws EvalsError `options` where there is none: the progress is of another computation
 */
export function savedArray<T extends ProgressArray>(
  { arrays }: SavedProgress,
  name: string,
  type: { new (length: number): T; readonly name: string },
  length: number,
): T {
  const array = arrays[name];
  checkOption(
    array instanceof type && array.length === length,
    `the saved progress has ${array ? `${array.length} numbers` : 'nothing'} for ${name} in place of ${length} in a ${type.name}; it is of another computation: delete it`,
  );
  return array as T;
}
