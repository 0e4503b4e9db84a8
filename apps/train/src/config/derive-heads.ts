/** The projection heads of a configuration: nested levels, widths and prototypes. */
import type { HeadConfig } from '@franca/matryoshka-heads';
import type { PretrainOptions } from '@franca/pretraining';
import { TrainError } from '../errors';
import { prototypesFor } from './small-batch';
import type { HeadSection, TrainConfig } from './train-config';

type Heads = PretrainOptions['heads'];

/**
 * Heads for tokens of width D, where Sinkhorn-Knopp sees `together` images at a time; those that predict a frozen teacher have its prototypes.
 * @throws TrainError `config`
 */
export function deriveHeads(config: TrainConfig, D: number, together: number, teacher?: Heads): Heads {
  checkCombination(config);
  const { dino, ibot } = config;
  return {
    dino: likeTeacher(deriveHead(config, dino, D, together), teacher?.dino),
    ibot: ibot.separate_head
      ? likeTeacher(deriveHead(config, ibot, D, together), teacher?.ibot ?? teacher?.dino)
      : undefined,
  };
}

/** Level i predicts level i of the teacher's head, if there is one. */
function likeTeacher(head: HeadConfig, teacher: HeadConfig | undefined): HeadConfig {
  if (!teacher) return head;
  if (teacher.levels.length !== head.levels.length)
    throw new TrainError(
      'config',
      `the teacher's head has ${teacher.levels.length} levels, that of this run ${head.levels.length}, and level i predicts level i; ${
        teacher.levels.length === 1
          ? 'use dino.MRL=false'
          : `use dino.MRL=true and ${teacher.levels.length} widths in franca.nesting_list`
      }`,
    );
  return { ...head, levels: head.levels.map((level, i) => ({ ...level, prototypes: teacher.levels[i]!.prototypes })) };
}

/** Matryoshka widths D/16, D/8, D/4, D/2, D (Franca section 3.2). */
const officialWidths = (D: number): number[] => [16, 8, 4, 2, 1].map((divisor) => D / divisor);

function deriveHead(config: TrainConfig, head: HeadSection, D: number, together: number): HeadConfig {
  const { franca } = config;
  const prototypes = franca.small_batch ? prototypesFor(head.head_n_prototypes, together) : head.head_n_prototypes;
  const widths = config.dino.MRL ? (franca.nesting_list ?? officialWidths(D)) : [D];
  checkWidths(widths, D);
  return {
    kind: config.dino.MRL ? 'matryoshka' : 'dino',
    nesting: franca.nesting,
    levels: widths.map((width) => ({ width, prototypes: Math.max(1, Math.trunc((prototypes * width) / D)) })),
    layers: head.head_nlayers,
    hiddenDim: head.head_hidden_dim,
    bottleneckDim: head.head_bottleneck_dim,
    initStd: franca.head_init_std,
  };
}

function checkWidths(widths: readonly number[], D: number): void {
  const ascending = widths.every((width, i) => Number.isInteger(width) && (i === 0 || width > widths[i - 1]!));
  if (!ascending || widths.at(-1) !== D)
    throw new TrainError(
      'config',
      `levels of widths ${widths.join(', ')}: expected ascending whole numbers that end with the embedding, ${D}; set franca.nesting_list`,
    );
}

/** The combinations that are defined; the official code crashes on the others (it indexes tuples of levels as tensors). */
function checkCombination({ dino, ibot, train }: TrainConfig): void {
  if (dino.MRL && !ibot.separate_head)
    throw new TrainError(
      'config',
      'dino.MRL needs a head of its own for patches; use ibot.separate_head=true, or dino.MRL=false',
    );
  if (dino.MRL && train.centering !== 'sinkhorn_knopp')
    throw new TrainError('config', 'dino.MRL needs train.centering=sinkhorn_knopp; use it, or dino.MRL=false');
}
