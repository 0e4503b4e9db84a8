/** Conversion of a checkpoint to safetensors: backbone and heads in files of their own, under official names. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  entriesOf,
  type OfficialCheckpoint,
  type OfficialPart,
  type TensorFile,
  unpackWeights,
  writeSafetensors,
} from '@franca/checkpoint';
import { TrainError } from '../errors';
import {
  type ConfigOfFile,
  configMetadata,
  configOfFile,
  type ModelOptions,
  writeConfigFile,
} from '../features/config-of-file';
import { findWeights } from '../features/find-weights';
import { openModel } from '../features/open-model';

export interface ImportOptions extends ModelOptions {
  readonly network?: string;
}

import { checkOutputFolder } from '../options/outputs';

const PARTS: readonly OfficialPart[] = ['backbone', 'dino_head', 'ibot_head', 'rasa_head'];

/**
 * Converts a checkpoint, or an archive given as its parts, into `out`. Nothing of the file is executed. On failure, what was made is removed.
 * @returns a report, line by line
 * @throws TrainError `usage` for several files that are no archive, `file` where an earlier import is in the way; CheckpointError for files that are not what they should be
 */
export async function importCheckpoint(
  files: readonly string[],
  out: string,
  options: ImportOptions = {},
): Promise<string[]> {
  await checkOutputFolder(out);
  const targets = PARTS.map((part) => targetOf(out, part));
  const earlier = targets.filter((path) => existsSync(path));
  if (earlier.length > 0)
    throw new TrainError(
      'file',
      `there is ${earlier.join(', ')} of an earlier import, and parts of two checkpoints would lie side by side; remove it, or give another --out`,
    );
  const created = await mkdir(out, { recursive: true });
  try {
    return await importInto(out, files, options);
  } catch (error) {
    for (const path of created ? [created] : targets) await rm(path, { recursive: true, force: true });
    throw error;
  }
}

const targetOf = (out: string, part: OfficialPart): string => join(out, `${part}.safetensors`);

async function importInto(out: string, files: readonly string[], options: ImportOptions): Promise<string[]> {
  const [first] = files as [string];
  if (!isArchive(first)) {
    if (files.length > 1)
      throw new TrainError(
        'usage',
        `${files.length} files were given, and ${first} is no part of an archive; import one checkpoint at a time`,
      );
    return convert(first, out, options);
  }
  const folder = await mkdtemp(join(out, '.unpacked-'));
  try {
    const unpacked = await unpackWeights(files.length > 1 ? [...files].sort() : first, folder);
    if (unpacked.length > 1)
      throw new TrainError(
        'file',
        `${first} holds ${unpacked.length} checkpoints (${unpacked.map((path) => basename(path)).join(', ')}); unpack it and import one`,
      );
    return await convert(unpacked[0]!, out, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const isArchive = (path: string): boolean => /\.(tar\.gz|tgz)(\.part_\w+)?$/.test(path);

async function convert(path: string, out: string, options: ImportOptions): Promise<string[]> {
  const found = await findWeights(path);
  const name = basename(found.file);
  const official = await openModel(found.file, options.network);
  await using file = official.file;
  const lines = [
    name,
    ...found.notes,
    ...official.notes,
    ...describe(official),
    ...file.notes.map((note) => `beside the tensors: ${note}`),
  ];
  const config = configOf(file, official, { ...options, runConfig: found.configFile });
  const chosen: Record<string, string> = official.report.others.length > 0 ? { network: official.report.network } : {};
  for (const part of PARTS) {
    const source = official.parts[part];
    if (source.tensors.size === 0) continue;
    const target = targetOf(out, part);
    const ofModel = part === 'backbone' && config && 'config' in config ? configMetadata(config) : {};
    const { bytes } = await writeSafetensors(target, entriesOf(source), { source: name, ...chosen, ...ofModel });
    lines.push(`wrote ${target}: ${source.tensors.size} tensors, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  }
  if (config) lines.push(...(await describeConfig(config, out)));
  return lines;
}

/** The configuration of the backbone, or why there is none: tensors are converted all the same. Undefined where there is no backbone. */
function configOf(
  file: TensorFile,
  { parts: { backbone }, report }: OfficialCheckpoint,
  options: ImportOptions & { readonly runConfig: string | undefined },
): ConfigOfFile | { readonly reason: string } | undefined {
  if (!report.backbone) return undefined;
  try {
    return configOfFile(file, backbone, options);
  } catch (error) {
    if (error instanceof TrainError) return { reason: error.message };
    throw error;
  }
}

async function describeConfig(config: ConfigOfFile | { readonly reason: string }, out: string): Promise<string[]> {
  if ('reason' in config)
    return [`the configuration of the model is not written, and evaluations will ask for it: ${config.reason}`];
  const { numHeads, interpolateAntialias, interpolateOffset } = config.config;
  const written = await writeConfigFile(out, config);
  return [
    `configuration: ${numHeads} heads, positions resampled ${interpolateAntialias ? 'antialiased' : 'not antialiased'} with offset ${interpolateOffset}`,
    ...config.notes.map((note) => `note: ${note}`),
    written ? `wrote ${written}` : `${join(out, 'config.json')} belongs to another program and stays as it is`,
  ];
}

function describe({ report, parts }: OfficialCheckpoint): string[] {
  const lines: string[] = [];
  const { backbone } = report;
  if (backbone) {
    const { depth, embedDim, patchSize, grid, registers, ffn, blockChunks } = backbone;
    lines.push(
      `backbone: ${depth} blocks of ${embedDim}, patch ${patchSize}, made for ${grid * patchSize} px (${grid} x ${grid} positions), ${ffn}` +
        `${registers > 0 ? `, ${registers} registers` : ''}${blockChunks > 0 ? `, ${blockChunks} chunks flattened` : ''}`,
    );
  }
  for (const part of ['dino_head', 'ibot_head'] as const) {
    const head = describeHead(parts[part].tensors);
    if (head) lines.push(`${part}: ${head}`);
  }
  if (report.rasaLayers !== undefined) lines.push(`rasa_head: ${report.rasaLayers + 1} planes`);
  if (report.ignored > 0) lines.push(`left out: ${report.ignored} tensors outside that network`);
  if (report.unexpected.length > 0)
    lines.push(`unknown backbone tensors, kept: ${report.unexpected.slice(0, 8).join(', ')}`);
  return lines;
}

/** Levels, variant and prototypes of a head, from the shapes of its tensors. */
function describeHead(tensors: OfficialCheckpoint['parts']['backbone']['tensors']): string | undefined {
  if (tensors.size === 0) return undefined;
  const shape = (name: string) => tensors.get(name)?.shape;
  const prototypes = (name: string) =>
    shape(`${name}.weight_v`)?.[0] ?? shape(`${name}.parametrizations.weight.original1`)?.[0];
  const levels: number[] = [];
  for (let i = 0; shape(`matryoshka_projections.${i}.weight`); i++) levels.push(prototypes(`last_layers.${i}`) ?? 0);
  if (levels.length === 0) return `plain, ${prototypes('last_layer') ?? 'unknown'} prototypes`;
  const [rows, columns] = shape('matryoshka_projections.0.weight')!;
  return `${levels.length} nested levels (${rows === columns ? 'slice' : 'project'}), ${levels.join(', ')} prototypes`;
}
