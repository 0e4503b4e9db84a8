/**
 * Checkpoints of a run, written. One is a folder `<run>/checkpoints/step-00001000/` with a `.safetensors` file per group of
 * tensors, `state.json` for everything else, and `manifest.json` with the size and SHA-256 of each. It is written under a
 * temporary name, every file and the folder are synced, and the folder is renamed as a whole: at any moment a kill leaves
 * either all of it or nothing under its name, and never touches an older one.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkOptions, kindOf, requirePath } from '../arguments';
import { syncFolder, type WrittenFile, writeSynced } from '../atomic-write';
import { CheckpointError, quote } from '../errors';
import { explained, explainFullDisk } from '../explain-file';
import { encodeJson, type JsonValue } from '../json-value';
import { safetensorsStream } from '../safetensors/stream';
import type { TensorEntry } from '../tensor-source';
import { listRunCheckpoints, type RunCheckpointPath, removeCheckpoint } from './folder';

export interface RunCheckpointContents {
  /** Optimizer steps done. */
  readonly step: number;
  /** Everything that is not a tensor: cursors, random state, schedules, configuration. */
  readonly state: JsonValue;
  /** Version of the layout of `state`, chosen by its owner. */
  readonly stateVersion: number;
  /** Groups of tensors (`student`, `teacher`, `optimizer`); group `x` becomes the file `x.safetensors`. */
  readonly tensors: Readonly<Record<string, Iterable<TensorEntry>>>;
  /** Metadata of every file of tensors, beside the step. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Content of `manifest.json`. */
export interface Manifest {
  readonly format: 'franca-run-checkpoint';
  readonly version: 1;
  readonly step: number;
  readonly files: Readonly<Record<string, WrittenFile>>;
}

/**
 * Writes a checkpoint of a run and returns its path. One that exists for the same step is replaced, after the new one is
 * complete.
 *
 * @throws CheckpointError `argument`, `disk-full`; nothing half-written stays, and no other checkpoint is touched
 */
export async function saveRunCheckpoint(runFolder: string, contents: RunCheckpointContents): Promise<string> {
  requirePath(runFolder, 'saveRunCheckpoint');
  checkOptions(contents, CONTENTS, 'saveRunCheckpoint');
  const { step } = contents;
  const writers = prepareFiles(contents);
  const folder = join(runFolder, 'checkpoints');
  await explained('write', folder, () => mkdir(folder, { recursive: true }));
  const temporary = join(folder, `.tmp-step-${step}-${process.pid}-${randomBytes(4).toString('hex')}`);
  const shown = join(folder, folderName(step, []));
  try {
    await explained('write', shown, () => mkdir(temporary));
    await writeFiles({ folder: temporary, shown }, step, writers);
    const older = (await listRunCheckpoints(runFolder)).filter((existing) => existing.step === step);
    const path = join(folder, folderName(step, older));
    await explained('write', path, async () => {
      await rename(temporary, path);
      await syncFolder(folder);
    });
    for (const { path: replaced } of older) await removeCheckpoint(replaced);
    return path;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw explainFullDisk(shown, error);
  }
}

const CONTENTS = ['step', 'state', 'stateVersion', 'tensors', 'metadata'];

/** Where a checkpoint is written, and what messages call it: its place when it is whole. */
interface Place {
  readonly folder: string;
  readonly shown: string;
}

type FileWriters = ReadonlyMap<string, Parameters<typeof writeSynced>[1]>;

/** Checks all input before anything touches the disk. */
function prepareFiles({ step, state, stateVersion, tensors, metadata }: RunCheckpointContents): FileWriters {
  if (!Number.isSafeInteger(step) || step < 0)
    throw new CheckpointError('argument', `step ${step} is not a step count`);
  if (!Number.isSafeInteger(stateVersion))
    throw new CheckpointError('argument', `stateVersion ${stateVersion} is no whole number`);
  if (typeof tensors !== 'object' || tensors === null)
    throw new CheckpointError('argument', `tensors are groups of entries by name; ${kindOf(tensors)} was given`);
  const writers = new Map<string, Parameters<typeof writeSynced>[1]>();
  for (const [group, entries] of Object.entries(tensors)) {
    if (!/^\w[\w.-]*$/.test(group)) {
      throw new CheckpointError(
        'argument',
        `${quote(group)} cannot name a group of tensors: use letters, digits, "-", "_"`,
      );
    }
    writers.set(`${group}.safetensors`, safetensorsStream(entries, { ...metadata, step: String(step) }));
  }
  const json = Buffer.from(encodeJson({ version: stateVersion, state }));
  return writers.set('state.json', (sink) => sink(json));
}

async function writeFiles({ folder, shown }: Place, step: number, writers: FileWriters): Promise<void> {
  const files: Record<string, WrittenFile> = {};
  for (const [name, write] of writers) files[name] = await writeSynced(join(folder, name), write, shown);
  const manifest: Manifest = { format: 'franca-run-checkpoint', version: 1, step, files };
  const json = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  await writeSynced(join(folder, 'manifest.json'), (sink) => sink(json), shown);
  await syncFolder(folder);
}

/** `step-00001000`, or `step-00001000.1` and so on where that is taken: a folder cannot be renamed over another one. */
function folderName(step: number, existing: readonly RunCheckpointPath[]): string {
  const revision = Math.max(-1, ...existing.map((checkpoint) => checkpoint.revision)) + 1;
  return `step-${String(step).padStart(8, '0')}${revision > 0 ? `.${revision}` : ''}`;
}
