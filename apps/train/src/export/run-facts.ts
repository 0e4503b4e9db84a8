/** What the folder of a run tells of the weights in it: configuration, data, curves, results. Nothing here is needed to export; what is missing is left out, and said. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { listRunCheckpoints } from '@franca/checkpoint';
import type { EvalRecord } from '@franca/evals';
import { readRecords } from '../compare/read-records';
import { deriveWhole, SINGLE_DEVICE } from '../config/derive';
import type { DerivedOptions } from '../config/derived-options';
import type { TrainConfig } from '../config/train-config';
import { TrainError } from '../errors';
import { configOfRun } from '../features/data-of-run';
import { parseWeights } from '../features/find-weights';
import { type MetricRow, readMetrics } from '../observe/metrics-log';
import { type Environment, historyOf } from '../run/environment';
import { readEnvironments } from '../run/run-folder';
import { parseSavedState, type SavedState } from '../run/saved-state';

export interface RunFacts {
  readonly folder: string;
  readonly config: TrainConfig;
  /** What follows from the configuration. */
  readonly derived: DerivedOptions;
  /** Of the newest checkpoint; undefined where none is left. */
  readonly state: SavedState | undefined;
  readonly environments: readonly Environment[];
  readonly metrics: readonly MetricRow[];
  /** What its figures mean. */
  readonly sentence: string | undefined;
  readonly results: readonly { readonly file: string; readonly records: readonly EvalRecord[] }[];
  /** What was assumed or left out while it ran, and files here that could not be used. */
  readonly notes: readonly string[];
}

/** Files of a run that are a copy in every export. */
export const LOG_FILES: readonly string[] = ['config.yaml', 'metrics.jsonl'];

/** The run that made `weights`; undefined where none is known, and for untrained weights. */
export async function runFacts(weights: string): Promise<RunFacts | undefined> {
  const { path, untrained } = parseWeights(weights);
  const run = untrained ? undefined : configOfRun(path);
  if (!run) return undefined;
  const folder = dirname(run.file);
  const unread: string[] = [];
  const trying = async <T>(work: Promise<T>, otherwise: T): Promise<T> =>
    work.catch((error: unknown) => {
      if (!(error instanceof TrainError)) throw error;
      unread.push(error.message);
      return otherwise;
    });
  const environments = await trying(readEnvironments(folder), []);
  const state = await trying(newestState(folder), undefined);
  const results = await trying(resultsIn(folder), []);
  return {
    folder,
    config: run.config,
    derived: deriveWhole(run.config, SINGLE_DEVICE),
    state,
    environments,
    metrics: await readMetrics(join(folder, 'metrics.jsonl')),
    sentence: await sentenceOf(join(folder, 'outcome.json')),
    results,
    notes: [...historyOf(environments), ...unread],
  };
}

/** Where the run stood when it was saved last; nothing but that is read. */
async function newestState(folder: string): Promise<SavedState | undefined> {
  const last = (await listRunCheckpoints(folder)).at(-1);
  const path = last && join(last.path, 'state.json');
  return path && existsSync(path) ? parseSavedState(jsonOf(await readFile(path, 'utf8')).state, path) : undefined;
}

async function sentenceOf(path: string): Promise<string | undefined> {
  const { sentence } = existsSync(path) ? jsonOf(await readFile(path, 'utf8')) : {};
  return typeof sentence === 'string' ? sentence : undefined;
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/** What else a run writes as JSON. */
const OWN = ['environment.json', 'outcome.json', 'start.json', 'tuning.json', 'config.json'];

/** Records that `eval --json` wrote into the folder of the run. */
async function resultsIn(folder: string): Promise<RunFacts['results']> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && !OWN.includes(name));
  const files = await Promise.all(names.sort().map((name) => readRecords(join(folder, name))));
  return files.map(({ path, records }) => ({ file: basename(path), records }));
}
