/**
 * The projection head that patch tokens were trained with: that of iBOT, or that of DINO where both share one. It lies in the file of the weights, beside them
 * (an import writes each part into a file of its own), or, for the teacher that a run exported, in its checkpoint of the same step.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  listRunCheckpoints,
  openCheckpoint,
  openSafetensors,
  renameTensors,
  type TensorSource,
} from '@franca/checkpoint';
import { detectHead, type HeadConfig } from '@franca/matryoshka-heads';
import type { WeightSource } from '@franca/vit';
import { TrainError } from '../errors';
import { runConfig } from './find-weights';
import { networkOfFile } from './network-of-file';

export interface HeadOfWeights extends AsyncDisposable {
  readonly part: HeadPart;
  /** Where it lies. */
  readonly file: string;
  readonly config: HeadConfig;
  /** A tensor by its official name inside the head. */
  read(name: string): Promise<Float32Array>;
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
  return (await findHead(subject)) ?? refuse(subject.file);
}

/** The first of `wanted` that exactly these weights have, to be closed. @throws as `openHead` does, but for one that is not there */
export async function findHead(
  subject: HeadSubject,
  wanted: readonly HeadPart[] = PARTS,
): Promise<HeadOfWeights | undefined> {
  const { file, parts, metadata } = subject;
  const own = wanted.find((part) => parts[part].tensors.size > 0);
  if (own) return headOf(own, parts[own], { path: file, close: async () => undefined });
  for (const part of wanted) {
    const path = join(dirname(file), `${part}.safetensors`);
    if (basename(file) !== 'backbone.safetensors' || !existsSync(path)) continue;
    const head = await openSafetensors(path);
    if (head.metadata.source === metadata.source) return headOf(part, head, head);
    await head.close();
    throw new TrainError('data', `${path} is of another checkpoint than ${file}; import both from one`);
  }
  return headOfCheckpoint(subject, wanted);
}

function refuse(file: string): never {
  throw new TrainError(
    'data',
    `${file} holds no projection head, and none of the same weights lies beside it; give a checkpoint of a run (run/checkpoints/step-...) or an import with its heads, or take --prototypes k-means`,
  );
}

/** Exported teachers have no heads; the checkpoint of the same step has. */
async function headOfCheckpoint(
  { file, metadata: { step }, read }: HeadSubject,
  wanted: readonly HeadPart[],
): Promise<HeadOfWeights | undefined> {
  const config = runConfig(file);
  if (step === undefined || config === undefined) return undefined;
  const checkpoint = (await listRunCheckpoints(dirname(config))).find((one) => one.step === Number(step));
  const path = checkpoint && join(checkpoint.path, 'teacher.safetensors');
  if (path === undefined || !existsSync(path)) return undefined;
  const teacher = await openCheckpoint(path);
  const { parts } = networkOfFile(teacher, undefined);
  const part = wanted.find((one) => parts[one].tensors.size > 0);
  if (part && (await isSame(['cls_token', 'norm.weight', 'norm.bias'], read, parts.backbone)))
    return headOf(part, parts[part], teacher);
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

function headOf(
  part: HeadPart,
  stored: TensorSource,
  { path, close }: { readonly path: string; close(): Promise<void> },
): HeadOfWeights {
  const official = (name: string) => NEWER.reduce((text, [newer, older]) => text.replace(newer, older), name);
  const source = renameTensors(stored, new Map([...stored.tensors.keys()].map((name) => [official(name), name])));
  const shapes = [...source.tensors.values()].map(({ name, shape }) => [name, shape] as const);
  return {
    part,
    file: path,
    config: detectHead(Object.fromEntries(shapes)),
    read: (name) => source.readFloat32(name),
    [Symbol.asyncDispose]: close,
  };
}
