/**
 * The forward pass of pretraining (Franca section 3; DINOv2). The teacher sees both global crops whole, the student sees them with patches masked, and the local
 * crops beside. The student's CLS tokens predict the teacher's CLS of the other view, its masked patches the teacher's patches there; KoLeo spreads the CLS tokens
 * of a view. With b images of this rank, L local crops, N patches of a global crop and at most U masked patches:
 *
 *   DINO   student [2b + L b, D] global then local CLS     targets [2b, D] teacher CLS, views swapped
 *   iBOT   student [U, D] patches at the masked places     targets [U, D] teacher patches there
 *
 * The teacher is the student's moving average, or a frozen one that is distilled (`distillation.ts`), with a width of its own.
 */
import { dinoLoss, ibotLoss, type Level, swapViews, type TotalLoss, totalLoss } from '@franca/losses';
import { projectionHead } from '@franca/matryoshka-heads';
import { type ChunkOptions, type Parameters, planChunks, prototypeLogits, type SoftTargets, within } from '@franca/nn';
import { centeringTargets, nextCentersOf, sinkhornTargetsOverRanks, type Teacher } from '@franca/sinkhorn';
import { cast, concat, constant, gatherRows, less, reshape, select, type Tensor } from '@franca/tensor';
import { vit, vitInOnePass } from '@franca/vit';
import { headOf, targetNetwork } from './distillation';
import { PretrainError } from './errors';
import type { PerInput } from './inputs';
import { keptTensors } from './kept-samples';
import { koleoInGroups } from './koleo-in-groups';
import { GLOBAL_CROPS, type PretrainOptions } from './options';
import { centerName, type LossName } from './state';

export interface ForwardInput {
  /** Parameters under `backbone.`, `dino_head.` and, unless shared, `ibot_head.`. */
  readonly student: Parameters;
  readonly teacher: Parameters;
  readonly batch: PerInput<Tensor>;
  readonly teacherTemp: Tensor;
  /** Number of masked patches; list entries past it are padding. */
  readonly nMasked: Tensor;
  /** Centre [K] of a level, by the name `centerName` gives; only read with softmax centering. */
  readonly center: (name: string) => Tensor;
}

export interface Forward {
  readonly losses: TotalLoss;
  /** Student logits and teacher targets of every level. */
  readonly dino: readonly Level[];
  readonly ibot: readonly Level[];
  /** Centres for the next step, by name. */
  readonly nextCenters: Readonly<Record<string, Tensor>>;
  /** CLS tokens [2b, D], views in order, of the network that learns: the teacher's, or with a frozen teacher the student's. */
  readonly cls: Tensor;
}

/** Tokens through backbones and heads to the losses: the teacher first, whose targets ranks exchange sums for while the student runs. */
export function pretrainForward(given: ForwardInput, options: PretrainOptions, chunks: ChunkOptions): Forward {
  // teacher and student see the same ones
  const batch = { ...given.batch, globalCrops: cast(given.batch.globalCrops, options.precision) };
  const input = { ...given, batch };
  const b = options.batch.perDevice;
  const { bound } = options.masks;
  const places = Float64Array.from({ length: bound }, (_, i) => i);
  const valid = less(constant(places, [bound]), input.nMasked);
  // padding names no patch: one that all of it named would get its gradient as a long sum of zeros
  const maskIndices = select(valid, batch.maskIndices, NO_ROW);

  const teacher = targetNetwork(options);
  const seen = vit(within(input.teacher, 'backbone'), batch.globalCrops, teacher.vit, { dtype: options.precision });
  const seenMasked = atMasked(seen.patches, maskIndices, valid);
  const dinoTeacher = teacherLevels('dino', { rows: swapViews(seen.cls) }, input, options, chunks);
  const ibotTeacher = teacherLevels('ibot', { rows: seenMasked, valid }, input, options, chunks);
  const { targets, nextCenters } = teacherTargets([...dinoTeacher, ...ibotTeacher], input, options);

  const { globals, locals } = studentTokens(input, options);
  const clsRows = locals ? concat([globals.cls, locals.cls]) : globals.cls;
  const dino = studentLevels('dino', clsRows, targets.slice(0, dinoTeacher.length), input, options);
  const masked = atMasked(globals.patches, maskIndices, valid);
  const ibot = studentLevels('ibot', masked, targets.slice(dinoTeacher.length), input, options);
  const losses = totalLoss(
    {
      dino: dinoLoss(dino),
      ibot: ibotLoss(ibot, batch.masksWeight, 2 * b),
      koleo: koleoInGroups(globals.cls, options),
    },
    options.losses,
  );
  return { losses, dino, ibot, nextCenters, cls: options.distillation ? globals.cls : seen.cls };
}

/** What the student sees, in one pass: global crops with patches masked, and local crops. */
function studentTokens({ student, batch }: ForwardInput, { vit: config, precision: dtype, remat }: PretrainOptions) {
  if (remat === 'auto')
    throw new PretrainError(
      'options',
      'remat is auto; `fitPretraining` decides it for a device, take its options and chunks',
    );
  const backbone = within(student, 'backbone');
  const kept = (kind: 'global' | 'local') => keptTensors(batch, config.depth, kind);
  const lists = [
    { images: batch.globalCrops, masks: batch.masks, kept: kept('global') },
    ...(batch.localCrops ? [{ images: batch.localCrops, kept: kept('local') }] : []),
  ];
  const [globals, locals] = vitInOnePass(backbone, lists, config, { dtype, remat });
  return { globals: globals!, locals };
}

/** An index beyond all rows. */
const NO_ROW = 0xffff_ffff;

/** Patches [2b, N, D] at the masked places [U] of the flattened batch; zero where the list is padding. */
function atMasked(patches: Tensor, indices: Tensor, valid: Tensor): Tensor {
  const [crops, N, D] = patches.shape as [number, number, number];
  const rows = gatherRows(reshape(patches, [crops * N, D]), indices);
  return select(reshape(valid, [indices.shape[0]!, 1]), rows, 0);
}

/** The teacher's logits of a level. */
interface TeacherLevel extends Teacher {
  /** Of its centre. */
  readonly name: string;
}

/** Logits of the teacher's tokens [R, D] for one loss, level by level; rows that are not `valid` are padding. */
function teacherLevels(
  loss: LossName,
  { rows, valid }: { readonly rows: Tensor; readonly valid?: Tensor },
  { teacher, teacherTemp: temperature }: ForwardInput,
  options: PretrainOptions,
  chunks: ChunkOptions,
): TeacherLevel[] {
  const { batch, crops, masks, paddingRows } = options;
  const [prefix, config] = headOf(loss, targetNetwork(options).heads);
  const studentRows = { dino: (GLOBAL_CROPS + crops.local_crops_number) * batch.perDevice, ibot: masks.bound };
  return projectionHead(within(teacher, prefix), rows, config).map(({ features, prototypes }, i) => ({
    name: centerName(loss, i),
    logits: prototypeLogits(features, prototypes, {
      temperature,
      plan: planChunks({ count: prototypes.count, width: prototypes.width, rows: studentRows[loss] }, chunks),
    }),
    valid: paddingRows ? undefined : valid,
  }));
}

/** Of all levels over the samples of all ranks: targets balanced by Sinkhorn-Knopp, or centred ones and the centres of the next step by name. */
function teacherTargets(
  levels: readonly TeacherLevel[],
  { teacherTemp: temperature, center }: ForwardInput,
  { centering, centerMomentum: momentum, ranks: { size } }: PretrainOptions,
): { targets: SoftTargets[]; nextCenters: Record<string, Tensor> } {
  if (centering === 'sinkhorn_knopp') return { targets: sinkhornTargetsOverRanks(levels, { size }), nextCenters: {} };
  const centred = levels.map((level) => ({ ...level, temperature, center: center(level.name) }));
  const next = nextCentersOf(centred, { momentum, size });
  return {
    targets: centred.map((teacher) => centeringTargets(teacher.logits, { center: teacher.center, temperature })),
    nextCenters: Object.fromEntries(levels.map(({ name }, i) => [name, next[i]!])),
  };
}

/** Logits of the student's tokens [R, D] for one loss beside their targets, level by level. */
function studentLevels(
  loss: LossName,
  rows: Tensor,
  targets: readonly SoftTargets[],
  { student }: ForwardInput,
  { heads, studentTemp: temperature }: PretrainOptions,
): Level[] {
  const [prefix, config] = headOf(loss, heads);
  return projectionHead(within(student, prefix), rows, config).map(({ features, prototypes }, i) => {
    const { chunks, recompute } = targets[i]!;
    const plan = { chunks, recompute };
    return { targets: targets[i]!, student: prototypeLogits(features, prototypes, { temperature, plan }) };
  });
}
