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
import { type KeptSamples, vit } from '@franca/vit';
import type { PretrainStepOptions } from './pretrain-step';

export interface ForwardInput {
  /** Parameters under `backbone.`, `dino_head.` and, unless shared, `ibot_head.`. */
  readonly student: Parameters;
  readonly teacher: Parameters;
  readonly batch: Readonly<Record<string, Tensor>>;
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

/** Name of the centre of a level of a loss. */
export const centerName = (loss: 'dino' | 'ibot', level: number): string => `center.${loss}.${level}`;

export function pretrainForward(input: ForwardInput, options: PretrainStepOptions, chunks: ChunkOptions): Forward {
  const { student, teacher, batch } = input;
  const { precision: dtype, vit: config, remat, heads, masks } = options;
  const b = options.batch.perDevice;
  const maskedPlaces = less(
    constant(
      Float64Array.from({ length: masks.bound }, (_, i) => i),
      [masks.bound],
    ),
    input.nMasked,
  );

  const seen = vit(within(teacher, 'backbone'), batch.globalCrops!, config, { dtype });
  const teacherMasked = atMasked(seen.patches, batch.maskIndices!, maskedPlaces);
  const globals = vit(within(student, 'backbone'), batch.globalCrops!, config, {
    dtype,
    remat,
    masks: batch.masks!,
    kept: keptSamples(batch, config.depth, 'global'),
  });
  const locals = batch.localCrops
    ? vit(within(student, 'backbone'), batch.localCrops, config, {
        dtype,
        remat,
        kept: keptSamples(batch, config.depth, 'local'),
      })
    : undefined;

  const nextCenters: Record<string, Tensor> = {};
  const levels = (loss: 'dino' | 'ibot', studentRows: Tensor, teacherRows: Tensor, valid?: Tensor): Level[] => {
    const name = loss === 'ibot' && heads.ibot ? 'ibot_head' : 'dino_head';
    const head: HeadConfig = (loss === 'ibot' && heads.ibot) || heads.dino;
    const rows = Math.max(studentRows.shape[0]!, teacherRows.shape[0]!);
    const targetHead = projectionHead(within(teacher, name), teacherRows, head);
    return projectionHead(within(student, name), studentRows, head).map(({ features, prototypes }, i): Level => {
      const plan = planChunks({ count: prototypes.count, width: prototypes.width, rows }, chunks);
      const target = targetHead[i]!;
      const logits = prototypeLogits(target.features, target.prototypes, { temperature: input.teacherTemp, plan });
      const targets = makeTargets(centerName(loss, i), logits, valid);
      return {
        student: prototypeLogits(features, prototypes, { temperature: options.studentTemp ?? 0.1, plan }),
        targets,
      };
    });
  };

  function makeTargets(name: string, logits: Logits, valid: Tensor | undefined): SoftTargets {
    const excluding = valid && !options.paddingRows ? { valid } : {};
    if (options.centering === 'sinkhorn_knopp') return sinkhornTargets(logits, excluding);
    const center = { center: input.center(name), temperature: input.teacherTemp };
    nextCenters[name] = nextCenterOf(logits, center, { momentum: options.centerMomentum ?? 0.9, ...excluding });
    return centeringTargets(logits, center);
  }

  const dino = levels('dino', locals ? concat([globals.cls, locals.cls]) : globals.cls, swapViews(seen.cls));
  const ibot = levels('ibot', atMasked(globals.patches, batch.maskIndices!, maskedPlaces), teacherMasked, maskedPlaces);
  const losses = totalLoss(
    {
      dino: dinoLoss(dino),
      ibot: ibotLoss(ibot, batch.masksWeight!, 2 * b),
      koleo: [koleoLoss(sliceAxis(globals.cls, 0, 0, b)), koleoLoss(sliceAxis(globals.cls, 0, b, 2 * b))],
    },
    options.losses,
  );
  return { losses, dino, ibot, nextCenters, teacherCls: seen.cls };
}

/** Patches [2b, N, D] at the masked places [U] of the flattened batch; zero where the list is padding. */
function atMasked(patches: Tensor, indices: Tensor, valid: Tensor): Tensor {
  const [crops, N, D] = patches.shape as [number, number, number];
  const rows = gatherRows(reshape(patches, [crops * N, D]), indices);
  return select(reshape(valid, [indices.shape[0]!, 1]), rows, 0);
}

/** The inputs `kept.<block>.<branch>.<which>`, where blocks drop samples. */
function keptSamples(
  batch: Readonly<Record<string, Tensor>>,
  depth: number,
  which: 'global' | 'local',
): (KeptSamples | undefined)[] {
  return Array.from({ length: depth }, (_, block) => {
    const [attention, ffn] = [batch[`kept.${block}.attention.${which}`], batch[`kept.${block}.ffn.${which}`]];
    return attention && ffn && { attention, ffn };
  });
}
