/**
 * Weights to start from: the backbone of any checkpoint that can be opened, which says the architecture of the run, and its projection heads where they are asked for. For
 * another image size the position table is resampled once, before training.
 */
import type { TensorSource } from '@franca/checkpoint';
import type { HeadConfig } from '@franca/matryoshka-heads';
import { initialisePretraining, type PretrainOptions } from '@franca/pretraining';
import { type Gpu, type State, sizeOf } from '@franca/tensor';
import { FINAL_LAYER, type VitConfig, weightsOf } from '@franca/vit';
import { TrainError } from '../errors';
import { configOfFile, findConfig } from '../features/config-of-file';
import { type HeadsOfWeights, openHeads, type StoredHead } from '../features/find-head';
import { type FoundWeights, findWeights } from '../features/find-weights';
import { isOnnx } from '../features/onnx-weights';
import { type OpenedModel, openModel } from '../features/open-model';
import { programCommand } from '../text/program';
import { resampleTable } from './position-table';

/** Projection heads that come with weights; `ibot` undefined: patches go through the one of DINO. */
export interface CarriedHeads {
  readonly dino: HeadConfig;
  readonly ibot: HeadConfig | undefined;
}

/** What a run is that starts from weights. */
export interface StartingModel {
  readonly file: string;
  /** Its `imgSize` is that of the weights. */
  readonly vit: VitConfig;
  /** Undefined: they start fresh. */
  readonly heads: CarriedHeads | undefined;
  /** What was found and assumed, in words. */
  readonly notes: readonly string[];
}

/** What the configuration says where weights are silent, and whether their heads are asked for. */
export interface StartRequest {
  readonly numHeads: number | undefined;
  readonly carryHeads: boolean;
}

/** Values of student and teacher by the names of the state (`backbone.norm.weight`); undefined where they start fresh. */
export type PretrainedWeights = (name: string) => Promise<ArrayLike<number> | undefined>;

export interface PretrainedFile extends AsyncDisposable {
  readonly weights: PretrainedWeights;
}

/** Reads what the weights in `path` (whatever `findWeights` takes) are. @throws TrainError `file`, `usage` where nothing tells the attention heads */
export async function startingModel(path: string, { numHeads, carryHeads }: StartRequest): Promise<StartingModel> {
  await using opened = await openStart(path);
  const { found, model } = opened;
  const { file } = model;
  const { backbone } = model.parts;
  const runConfig = found.configFile;
  const stored = findConfig(file, runConfig, () => {});
  const isSaid = stored !== undefined && !stored.assumed.includes('numHeads');
  const asked = isSaid || numHeads === undefined ? {} : { heads: numHeads };
  const { config, notes } = asSettings(() => configOfFile(file, backbone, { ...asked, runConfig }));
  if (config.classToken === false)
    throw new TrainError(
      'file',
      `${found.file} has no class token (it pools patches by attention), and the method compares the CLS tokens of crops; start from weights that have one`,
    );
  const { heads, note } = await carriedHeads(opened, carryHeads);
  const isFolded = Object.values(FINAL_LAYER).some((name) => backbone.tensors.has(name));
  return {
    file: found.file,
    vit: config,
    heads,
    notes: [
      `starting from ${found.file}: a ViT of width ${config.embedDim}, ${config.depth} blocks, ${config.numHeads} heads, patches of ${config.patchSize} px, as the weights are`,
      ...found.notes,
      ...model.notes,
      ...notes.map((text) => inSettings(text)),
      ...(isFolded ? ['RASA is folded into these weights; training goes on from the backbone without it'] : []),
      note,
    ],
  };
}

/** Opens the weights of `path` for a run: backbone and, with `loop.carryHeads`, the heads that lie with it. @throws TrainError `file` */
export async function openPretrained(
  path: string,
  { vit, loop }: Pick<PretrainOptions, 'vit'> & { readonly loop: { readonly carryHeads: boolean } },
): Promise<PretrainedFile> {
  const opened = await openStart(path);
  try {
    const heads = loop.carryHeads ? await openHeads(headSubject(opened)) : NO_HEADS;
    const byPart = (name: string): StoredHead | undefined =>
      heads.heads.find(({ part }) => name.startsWith(`${part}.`));
    const backbone = weightsOf(opened.model.parts.backbone);
    return {
      async weights(name) {
        const plain = name.slice(name.indexOf('.') + 1);
        if (!name.startsWith('backbone.')) return byPart(name)?.read(plain);
        const values = await backbone(plain);
        return values && plain === 'pos_embed' ? positionsFor(vit, values) : values;
      },
      async [Symbol.asyncDispose]() {
        await heads[Symbol.asyncDispose]();
        await opened[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/** What is said of positions where those of the weights are for another grid than that of the crops. */
export function positionNote({ vit: weights }: StartingModel, { imgSize, patchSize, ropeTheta }: VitConfig): string[] {
  const [from, to] = [weights.imgSize / patchSize, imgSize / patchSize];
  if (from === to || ropeTheta !== undefined) return [];
  return [
    `positions resampled from ${from} x ${from} (${weights.imgSize} px) to ${to} x ${to} (${imgSize} px), bicubic, antialiased, before the first step`,
  ];
}

/** Initial weights of student and teacher alike, from `pretrained` where it has some. @throws TrainError `file` where it is of another model */
export async function startFresh(
  gpu: Gpu,
  state: State,
  options: PretrainOptions,
  pretrained: PretrainedWeights | undefined,
): Promise<void> {
  await initialisePretraining(gpu, state, options);
  if (!pretrained) return;
  for (const [name, { shape }] of Object.entries(state.layout.student!.segments)) {
    const values = await pretrained(name);
    // timm's files have no mask token, and none is as officially at the start
    if (!values && (!name.startsWith('backbone.') || name === 'backbone.mask_token')) continue;
    if (values?.length !== sizeOf(shape))
      throw new TrainError(
        'file',
        `the weights to start from have ${values ? `${values.length} values` : 'nothing'} for "${name}", the model needs [${shape.join(', ')}]`,
      );
    for (const group of ['student', 'teacher']) state.write(group, name, values);
  }
}

interface OpenedStart extends AsyncDisposable {
  readonly found: FoundWeights;
  readonly model: OpenedModel;
}

async function openStart(path: string): Promise<OpenedStart> {
  const found = await findWeights(path);
  if (isOnnx(found.file))
    throw new TrainError(
      'file',
      `${found.file} is ONNX, which can be evaluated and not trained; give its weights as safetensors or .pth`,
    );
  const wayOut = `${programCommand(['import', found.file, '--network', 'NAME', '--out', 'FOLDER'])} takes one out`;
  const model = await openModel(found.file, undefined, wayOut);
  return { found, model, [Symbol.asyncDispose]: () => model.file.close() };
}

const NO_HEADS: HeadsOfWeights = { heads: [], [Symbol.asyncDispose]: async () => undefined };

const headSubject = ({ model: { file, parts } }: OpenedStart) => ({
  file: file.path,
  parts,
  metadata: file.metadata,
  read: weightsOf(parts.backbone),
});

/** The heads that go over, and what there is to say of them. */
async function carriedHeads(
  opened: OpenedStart,
  isAsked: boolean,
): Promise<{ readonly heads: CarriedHeads | undefined; readonly note: string }> {
  const { file, parts } = opened.model;
  if (!isAsked) {
    const has = (part: TensorSource) => part.tensors.size > 0;
    const isThere = has(parts.dino_head) || has(parts.ibot_head);
    const way = isThere ? `; ${file.path} holds some, and franca.carry_heads=true takes them` : '';
    return { heads: undefined, note: `projection heads start fresh${way}` };
  }
  await using found = await openHeads(headSubject(opened));
  const of = (part: string) => found.heads.find((head) => head.part === part);
  const [dino, ibot] = [of('dino_head'), of('ibot_head')];
  if (!dino) {
    const what = ibot ? 'those of iBOT alone' : 'none';
    return { heads: undefined, note: `projection heads start fresh: with these weights there are ${what}` };
  }
  const text = ({ levels }: HeadConfig) => levels.map(({ prototypes }) => prototypes).join(', ');
  const second = ibot ? `, of iBOT ${text(ibot.config)}` : ', for patches too';
  return {
    heads: { dino: dino.config, ibot: ibot?.config },
    note: `projection heads go on with the weights, from ${dino.file}: of DINO ${text(dino.config)} prototypes${second}`,
  };
}

/** What asks for `--heads` elsewhere is a setting of a run. */
const inSettings = (text: string): string => text.replaceAll('--heads', 'franca.vit.num_heads');

function asSettings<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TrainError && error.code === 'usage')) throw error;
    throw new TrainError('usage', inSettings(error.message), { cause: error });
  }
}

/** The table of the weights on the grid of the run's crops. */
function positionsFor({ embedDim: D, imgSize, patchSize }: VitConfig, values: ArrayLike<number>): ArrayLike<number> {
  const from = Math.round(Math.sqrt(values.length / D - 1));
  const to = imgSize / patchSize;
  return from === to ? values : resampleTable(Float32Array.from(values), from, to, D);
}
