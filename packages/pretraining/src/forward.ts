/**
 * The forward pass of pretraining (Franca section 3; DINOv2). The teacher sees both global crops whole, the student sees them with patches masked, and the local
 * crops beside. The student's CLS tokens predict the teacher's CLS of the other view, its masked patches the teacher's patches there; KoLeo spreads the CLS tokens
 * of a view. With b images, L local crops, N patches of a global crop and at most U masked patches in the batch:
 *
 *   DINO   student [2b + L b, D] global then local CLS     targets [2b, D] teacher CLS, views swapped
 *   iBOT   student [U, D] patches at the masked places     targets [U, D] teacher patches there
 */
import { dinoLoss, ibotLoss, koleoLoss, type Level, swapViews, type TotalLoss, totalLoss } from '@franca/losses';
import { type HeadConfig, projectionHead } from '@franca/matryoshka-heads';
import {
  type ChunkOptions,
  type Logits,
  type Parameters,
  planChunks,
  prototypeLogits,
  type SoftTargets,
  within,
} from '@franca/nn';
import { centeringTargets, nextCenterOf, sinkhornTargets } from '@franca/sinkhorn';
import { concat, constant, gatherRows, less, reshape, select, sliceAxis, type Tensor } from '@franca/tensor';
import { vit } from '@franca/vit';
import { PretrainError } from './errors';
import type { PerInput } from './inputs';
import { keptTensors } from './kept-samples';
import type { PretrainOptions } from './options';
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
  /** CLS tokens of the teacher [2b, D], views in order. */
  readonly teacherCls: Tensor;
}

/** Tokens through backbones and heads to the losses. */
export function pretrainForward(input: ForwardInput, options: PretrainOptions, chunks: ChunkOptions): Forward {
  const { batch } = input;
  const b = options.batch.perDevice;
  const { bound } = options.masks;
  const places = Float64Array.from({ length: bound }, (_, i) => i);
  const valid = less(constant(places, [bound]), input.nMasked);

  const seen = vit(within(input.teacher, 'backbone'), batch.globalCrops, options.vit, { dtype: options.precision });
  const teacherMasked = atMasked(seen.patches, batch.maskIndices, valid);
  const { globals, locals } = studentTokens(input, options);

  const clsRows = { student: locals ? concat([globals.cls, locals.cls]) : globals.cls, teacher: swapViews(seen.cls) };
  const dino = lossLevels('dino', clsRows, input, options, chunks);
  const maskedRows = { student: atMasked(globals.patches, batch.maskIndices, valid), teacher: teacherMasked, valid };
  const ibot = lossLevels('ibot', maskedRows, input, options, chunks);
  const losses = totalLoss(
    {
      dino: dinoLoss(dino),
      ibot: ibotLoss(ibot, batch.masksWeight, 2 * b),
      koleo: [koleoLoss(sliceAxis(globals.cls, 0, 0, b)), koleoLoss(sliceAxis(globals.cls, 0, b, 2 * b))],
    },
    options.losses,
  );
  const moved = [...dino, ...ibot].filter(({ nextCenter }) => nextCenter);
  const nextCenters = Object.fromEntries(moved.map(({ name, nextCenter }) => [name, nextCenter!]));
  return { losses, dino, ibot, nextCenters, teacherCls: seen.cls };
}

/** What the student sees: global crops with patches masked, and local crops. */
function studentTokens({ student, batch }: ForwardInput, { vit: config, precision: dtype, remat }: PretrainOptions) {
  if (remat === 'auto')
    throw new PretrainError(
      'options',
      'remat is auto; `fitPretraining` decides it for a device, take its options and chunks',
    );
  const backbone = within(student, 'backbone');
  const kept = (kind: 'global' | 'local') => keptTensors(batch, config.depth, kind);
  return {
    globals: vit(backbone, batch.globalCrops, config, { dtype, remat, masks: batch.masks, kept: kept('global') }),
    locals: batch.localCrops && vit(backbone, batch.localCrops, config, { dtype, remat, kept: kept('local') }),
  };
}

/** Patches [2b, N, D] at the masked places [U] of the flattened batch; zero where the list is padding. */
function atMasked(patches: Tensor, indices: Tensor, valid: Tensor): Tensor {
  const [crops, N, D] = patches.shape as [number, number, number];
  const rows = gatherRows(reshape(patches, [crops * N, D]), indices);
  return select(reshape(valid, [indices.shape[0]!, 1]), rows, 0);
}

/** Tokens [R, D] of student and teacher for one loss; rows of the teacher that are not `valid` are padding. */
interface LossRows {
  readonly student: Tensor;
  readonly teacher: Tensor;
  readonly valid?: Tensor;
}

interface LossLevel extends Level {
  /** Of its centre. */
  readonly name: string;
  readonly nextCenter: Tensor | undefined;
}

/** Student logits and teacher targets of a loss, level by level. */
function lossLevels(
  loss: LossName,
  rows: LossRows,
  { student, teacher, teacherTemp, center }: ForwardInput,
  options: PretrainOptions,
  chunks: ChunkOptions,
): LossLevel[] {
  const { heads, studentTemp } = options;
  const own = loss === 'ibot' ? heads.ibot : undefined;
  const [prefix, config]: [string, HeadConfig] = own ? ['ibot_head', own] : ['dino_head', heads.dino];
  const most = Math.max(rows.student.shape[0]!, rows.teacher.shape[0]!);
  const targetHead = projectionHead(within(teacher, prefix), rows.teacher, config);
  return projectionHead(within(student, prefix), rows.student, config).map(({ features, prototypes }, i) => {
    const plan = planChunks({ count: prototypes.count, width: prototypes.width, rows: most }, chunks);
    const target = targetHead[i]!;
    const name = centerName(loss, i);
    const logits = prototypeLogits(target.features, target.prototypes, { temperature: teacherTemp, plan });
    return {
      name,
      ...teacherTargets(logits, { center: () => center(name), temperature: teacherTemp, valid: rows.valid }, options),
      student: prototypeLogits(features, prototypes, { temperature: studentTemp, plan }),
    };
  });
}

/** Balanced targets by Sinkhorn-Knopp, or centred ones and the centre of the next step. */
function teacherTargets(
  logits: Logits,
  { center, temperature, valid }: { center: () => Tensor; temperature: Tensor; valid: Tensor | undefined },
  { centering, centerMomentum: momentum, paddingRows }: PretrainOptions,
): { targets: SoftTargets; nextCenter: Tensor | undefined } {
  const excluding = valid && !paddingRows ? { valid } : {};
  if (centering === 'sinkhorn_knopp') return { targets: sinkhornTargets(logits, excluding), nextCenter: undefined };
  const centred = { center: center(), temperature };
  return {
    nextCenter: nextCenterOf(logits, centred, { momentum, ...excluding }),
    targets: centeringTargets(logits, centred),
  };
}
