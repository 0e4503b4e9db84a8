/**
 * The projection heads that weights were trained with, and the one of patch tokens: that of iBOT, or that of DINO where both share one. They lie in the file of the weights,
 * beside them (an import writes each part into a file of its own), or, for the teacher that a run exported, in its checkpoint of the same step.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  listRunCheckpoints,
  openCheckpoint,
  openSafetensors,
  renameTensors,
  type TensorFile,
  type TensorSource,
} from '@franca/checkpoint';
import { detectHead, type HeadConfig } from '@franca/matryoshka-heads';
import type { WeightSource } from '@franca/vit';
import { TrainError } from '../errors';
import { runConfig } from './find-weights';
import { networkOfFile } from './network-of-file';

/** A head, readable as long as its file is open. */
export interface StoredHead {
  readonly part: HeadPart;
  /** Where it lies. */
  readonly file: string;
  readonly config: HeadConfig;
  /** A tensor by its official name inside the head. */
  read(name: string): Promise<Float32Array>;
}

export interface HeadOfWeights extends StoredHead, AsyncDisposable {}

/** Those of one model, at most one of each part, that of iBOT first. */
export interface HeadsOfWeights extends AsyncDisposable {
  readonly heads: readonly StoredHead[];
}

export type HeadPart = 'ibot_head' | 'dino_head';

/** Weights as their head is looked for. */
export interface HeadSubject {
  readonly untrained: boolean;
  readonly file: string;
  readonly parts: Readonly<Record<HeadPart, TensorSource>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** A tensor of the backbone. */
  readonly read: WeightSource;
}

/** iBOT's goes first: without one, patches were trained with DINO's. */
const PARTS: readonly HeadPart[] = ['ibot_head', 'dino_head'];

/** Close it when done. @throws TrainError `data` where there is no head of exactly these weights; HeadError where its tensors are no head */
export async function openHead(subject: HeadSubject): Promise<HeadOfWeights> {
  if (subject.untrained)
    throw new TrainError('data', 'an untrained model has no head that was trained; take --prototypes k-means');
  const { heads, [Symbol.asyncDispose]: close } = await openHeads(subject);
  const [head] = heads;
  if (head) return { ...head, [Symbol.asyncDispose]: close };
  throw new TrainError(
    'data',
    `${subject.file} holds no projection head, and none of the same weights lies beside it; give a checkpoint of a run (run/checkpoints/step-...) or an import with its heads, or take --prototypes k-means`,
  );
}

/** All heads of exactly these weights; close them when done. @throws TrainError `data` where those beside are of others; HeadError where tensors are no head */
export async function openHeads(subject: Omit<HeadSubject, 'untrained'>): Promise<HeadsOfWeights> {
  const own = headsIn(subject.parts, subject.file);
  if (own.length > 0) return { heads: own, [Symbol.asyncDispose]: async () => undefined };
  const beside = await headsBeside(subject);
  return beside.heads.length > 0 ? beside : ((await headsOfCheckpoint(subject)) ?? beside);
}

const headsIn = (parts: HeadSubject['parts'], path: string): StoredHead[] =>
  PARTS.filter((part) => parts[part].tensors.size > 0).map((part) => headOf(part, parts[part], path));

/** What an import wrote into files of their own. */
async function headsBeside({ file, metadata }: Pick<HeadSubject, 'file' | 'metadata'>): Promise<HeadsOfWeights> {
  const files: TensorFile[] = [];
  const heads: StoredHead[] = [];
  const close = async () => {
    for (const open of files) await open.close();
  };
  try {
    for (const part of basename(file) === 'backbone.safetensors' ? PARTS : []) {
      const path = join(dirname(file), `${part}.safetensors`);
      if (!existsSync(path)) continue;
      const head = await openSafetensors(path);
      files.push(head);
      if (head.metadata.source !== metadata.source)
        throw new TrainError('data', `${path} is of another checkpoint than ${file}; import both from one`);
      heads.push(headOf(part, head, path));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { heads, [Symbol.asyncDispose]: close };
}

/** Exported teachers have no heads; the checkpoint of the same step has. */
async function headsOfCheckpoint({
  file,
  metadata: { step },
  read,
}: Omit<HeadSubject, 'untrained'>): Promise<HeadsOfWeights | undefined> {
  const config = runConfig(file);
  if (step === undefined || config === undefined) return undefined;
  const checkpoint = (await listRunCheckpoints(dirname(config))).find((one) => one.step === Number(step));
  const path = checkpoint && join(checkpoint.path, 'teacher.safetensors');
  if (path === undefined || !existsSync(path)) return undefined;
  const teacher = await openCheckpoint(path);
  const { parts } = networkOfFile(teacher, undefined);
  const heads = headsIn(parts, path);
  if (heads.length > 0 && (await isSame(['cls_token', 'norm.weight', 'norm.bias'], read, parts.backbone)))
    return { heads, [Symbol.asyncDispose]: () => teacher.close() };
  await teacher.close();
  return undefined;
}

async function isSame(names: readonly string[], read: HeadSubject['read'], backbone: TensorSource): Promise<boolean> {
  for (const name of names) {
    const [here, there] = [await read(name), await backbone.readFloat32(name)];
    if (here?.length !== there.length || there.some((value, i) => value !== here[i])) return false;
  }
  return true;
}

/** Newer PyTorch names the two tensors of a weight-normalised layer otherwise. */
const NEWER: readonly (readonly [string, string])[] = [
  ['.parametrizations.weight.original0', '.weight_g'],
  ['.parametrizations.weight.original1', '.weight_v'],
];

function headOf(part: HeadPart, stored: TensorSource, file: string): StoredHead {
  const official = (name: string) => NEWER.reduce((text, [newer, older]) => text.replace(newer, older), name);
  const source = renameTensors(stored, new Map([...stored.tensors.keys()].map((name) => [official(name), name])));
  const shapes = [...source.tensors.values()].map(({ name, shape }) => [name, shape] as const);
  return {
    part,
    file,
    config: detectHead(Object.fromEntries(shapes)),
    read: (name) => source.readFloat32(name),
  };
}
