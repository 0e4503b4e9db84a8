/** Checkpoints of a run, opened: every byte is compared with its checksum, damaged ones are passed over. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { requirePath } from '../arguments';
import type { ByteSource } from '../byte-source';
import { CheckpointError, describe, quote } from '../errors';
import type { JsonValue } from '../json-value';
import { openRandomAccess } from '../random-access';
import { openSafetensors } from '../safetensors/reader';
import type { TensorFile } from '../tensor-source';
import { listRunCheckpoints } from './folder';
import type { Manifest } from './save';

/** A checkpoint of a run whose every byte has been compared with its checksums. */
export interface RunCheckpoint {
  readonly path: string;
  readonly step: number;
  /** Names of its groups of tensors. */
  readonly groups: readonly string[];
  /** Opens the tensors of a group. @throws CheckpointError `missing-tensor` */
  openTensors(group: string): Promise<TensorFile>;
  /**
   * The state, through its owner's `parse`, which gets the version that it was saved with and may convert an older one.
   *
   * @throws CheckpointError `version` where it was saved by a newer version than `version`; what `parse` throws
   */
  state<S>(version: number, parse: (value: JsonValue, savedVersion: number) => S): S;
}

/** The newest usable checkpoint, and the newer ones that had to be passed over. */
export interface LatestRunCheckpoint {
  readonly checkpoint: RunCheckpoint | undefined;
  readonly rejected: readonly { readonly path: string; readonly error: CheckpointError }[];
}

/** Finds the newest checkpoint that is whole: damaged ones are passed over and reported. */
export async function latestRunCheckpoint(runFolder: string): Promise<LatestRunCheckpoint> {
  const rejected: { path: string; error: CheckpointError }[] = [];
  for (const { path } of (await listRunCheckpoints(runFolder)).reverse()) {
    try {
      return { checkpoint: await loadRunCheckpoint(path), rejected };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      rejected.push({ path, error });
    }
  }
  return { checkpoint: undefined, rejected };
}

/**
 * Opens a checkpoint folder and compares every file with the manifest's size and SHA-256.
 *
 * @throws CheckpointError `corrupt` naming the file, `not-found`
 */
export async function loadRunCheckpoint(path: string): Promise<RunCheckpoint> {
  requirePath(path, 'loadRunCheckpoint');
  const manifest = parseManifest(await readSmallJson(join(path, 'manifest.json')), path);
  for (const [name, { bytes, sha256 }] of Object.entries(manifest.files)) await verify(join(path, name), bytes, sha256);
  const { version: savedVersion, state } = parseState(await readSmallJson(join(path, 'state.json')), path);
  const groups = Object.keys(manifest.files).flatMap((name) => /^(.+)\.safetensors$/.exec(name)?.[1] ?? []);
  return {
    path,
    step: manifest.step,
    groups,
    openTensors: async (group) => {
      if (groups.includes(group)) return openSafetensors(join(path, `${group}.safetensors`));
      throw new CheckpointError('missing-tensor', `${path} has no group ${quote(group)}; it has ${groups.join(', ')}`);
    },
    state: (version, parse) => {
      if (savedVersion <= version) return parse(state, savedVersion);
      const message = `the state in ${path} has version ${savedVersion}, this program knows ${version}; update it`;
      throw new CheckpointError('version', message);
    },
  };
}

function corrupt(path: string, what: string): CheckpointError {
  return new CheckpointError('corrupt', `${path} is damaged: ${what}; resume from an earlier checkpoint`);
}

/** State and manifest are far smaller; the limit keeps a wrong file from being read whole. */
const MAX_JSON_BYTES = 64 * 2 ** 20;

async function readSmallJson(path: string): Promise<unknown> {
  await using file = await openRandomAccess(path);
  if (file.size > MAX_JSON_BYTES) throw corrupt(path, `it has ${file.size} bytes`);
  try {
    return JSON.parse(new TextDecoder().decode(await file.read(0, file.size)));
  } catch {
    throw corrupt(path, 'it is not JSON');
  }
}

function parseManifest(value: unknown, path: string): Manifest {
  const { format, version, step, files } = (value ?? {}) as Record<string, unknown>;
  if (format !== 'franca-run-checkpoint' || version !== 1) {
    throw corrupt(path, `its manifest has format ${describe(format)}, version ${describe(version)}`);
  }
  const named = Number(/^step-(\d+)/.exec(basename(path))?.[1]);
  if (typeof step !== 'number' || (!Number.isNaN(named) && named !== step)) {
    throw corrupt(path, `its manifest is of step ${describe(step)}`);
  }
  const valid = typeof files === 'object' && files !== null && Object.entries(files).every(isManifestEntry);
  if (!valid || !Object.hasOwn(files, 'state.json')) throw corrupt(path, 'its manifest does not list its files');
  return value as Manifest;
}

function parseState(value: unknown, path: string): { version: number; state: JsonValue } {
  const { version, state } = (value ?? {}) as Record<string, unknown>;
  if (typeof version !== 'number') throw corrupt(path, `its state has version ${describe(version)}`);
  return { version, state: state as JsonValue };
}

function isManifestEntry([name, entry]: [string, unknown]): boolean {
  const { bytes, sha256 } = (entry ?? {}) as Record<string, unknown>;
  return /^\w[\w.-]*$/.test(name) && typeof bytes === 'number' && typeof sha256 === 'string';
}

async function verify(path: string, bytes: number, sha256: string): Promise<void> {
  await using file = await openRandomAccess(path);
  if (file.size !== bytes) throw corrupt(path, `it has ${file.size} bytes instead of ${bytes}`);
  if ((await hashOf(file)) !== sha256) throw corrupt(path, 'its SHA-256 is not the one it was saved with');
}

async function hashOf(file: ByteSource): Promise<string> {
  const hash = createHash('sha256');
  const piece = 8 * 2 ** 20;
  for (let at = 0; at < file.size; at += piece) hash.update(await file.read(at, Math.min(piece, file.size - at)));
  return hash.digest('hex');
}
