/**
 * What a run keeps on the device: student and teacher, optimizer, centres. Groups are `student` and `teacher` weights, Adam moments `m` and `v`, `gradient` (and,
 * with accumulation, `accumulated` gradients), and `optimizer` with the rest: bias corrections, loss scale, centres. All but the gradients belong into a
 * checkpoint. Where a run computes in f16 and has room, `student_f16` and `teacher_f16` hold copies of the weights that products read, so that they are rounded once per
 * update and not in every pass; what follows from others is in no checkpoint. With distillation `frozen_teacher` gives the targets: it has neither moments nor gradients,
 * and no checkpoint either, since it never differs from the file that it came from. Names of parameters are the official ones.
 */
import { type HeadConfig, headSpecs } from '@franca/matryoshka-heads';
import { initialise, initialLossScale, type ParameterSpecs, prefixed } from '@franca/nn';
import { copiesOf, type Gpu, type GroupSpec, type Seed, type Spec, type State } from '@franca/tensor';
import { vitSpecs } from '@franca/vit';
import type { PretrainOptions } from './options';

/** The two losses that compare student and teacher, each with centres of its own. */
export type LossName = 'dino' | 'ibot';

/** Name of the centre [K] of a level of a loss; only softmax centering has centres. */
export const centerName = (loss: LossName, level: number): string => `center.${loss}.${level}`;

/** Groups of state that a checkpoint must hold to continue exactly; the others are scratch. */
export const SAVED_GROUPS = ['student', 'teacher', 'm', 'v', 'optimizer'] as const;

/** Groups with the weights of a network, and with copies of them. */
type Network = 'student' | 'teacher' | 'frozen_teacher';

/**
 * The groups of a run's state; `accumulated` is empty without accumulation, the frozen teacher without distillation, and the copies without f16 or `weightCopies`, or
 * where no product reads them.
 */
export type PretrainGroups = Readonly<
  Record<
    | 'student'
    | 'teacher'
    | 'frozen_teacher'
    | 'student_f16'
    | 'teacher_f16'
    | 'frozen_teacher_f16'
    | 'm'
    | 'v'
    | 'gradient'
    | 'accumulated'
    | 'optimizer',
    GroupSpec
  >
>;

/** The groups of a run's state, for `createState` or `layoutState`. */
export function pretrainGroups(options: PretrainOptions): PretrainGroups {
  const { distillation } = options;
  const isHalf = options.precision === 'f16' && options.weightCopies !== false;
  const { specs, used } = networkSpecs(options, isHalf);
  const frozen = distillation ? networkSpecs(distillation, isHalf) : { specs: {}, used: {} };
  const copies = (group: Network, weights: GroupSpec): GroupSpec => (isHalf ? copiesOf(group, weights) : {});
  return {
    student: specs,
    teacher: specs,
    frozen_teacher: frozen.specs,
    student_f16: copies('student', used),
    teacher_f16: distillation ? {} : copies('teacher', used),
    frozen_teacher_f16: copies('frozen_teacher', frozen.used),
    m: specs,
    v: specs,
    gradient: specs,
    accumulated: options.batch.accumulation > 1 ? specs : {},
    optimizer: {
      corrections: f32(2),
      ...(options.lossScaling ? { loss_scale: f32(2) } : {}),
      ...centerSpecs(options),
    },
  };
}

/** All weights of a network, and those that products read; prototypes are normalised out of f32. */
function networkSpecs(
  network: Parameters<typeof parameterSpecs>[0],
  isHalf: boolean,
): { specs: ParameterSpecs; used: ParameterSpecs } {
  const all = parameterSpecs(network);
  const used = chosenSpecs(all, (name) => !isPrototype(name));
  // a copy has the beginning of its group
  return { specs: isHalf ? { ...used, ...chosenSpecs(all, isPrototype) } : all, used };
}

/** Initial state: the student by the official initialisation, the teacher its copy. A frozen teacher is filled by `writeFrozenTeacher`. */
export async function initialisePretraining(
  gpu: Gpu,
  state: State<PretrainGroups>,
  options: PretrainOptions,
  seed: Seed = options.seed,
): Promise<void> {
  await initialise(gpu, state, 'student', parameterSpecs(options), seed);
  state.copy('student', 'teacher');
  if (options.lossScaling) state.write('optimizer', 'loss_scale', initialLossScale());
}

/** Parameters of a network; those of student and teacher are alike. */
const parameterSpecs = ({
  vit,
  vitInitStd,
  heads,
}: Pick<PretrainOptions, 'vit' | 'vitInitStd' | 'heads'>): ParameterSpecs => ({
  ...prefixed('backbone', vitSpecs(vit, vitInitStd)),
  ...prefixed('dino_head', headSpecs(heads.dino)),
  ...(heads.ibot ? prefixed('ibot_head', headSpecs(heads.ibot)) : {}),
});

const isPrototype = (name: string): boolean => /\.weight_[gv]$/.test(name);

const chosenSpecs = (specs: ParameterSpecs, isChosen: (name: string) => boolean): ParameterSpecs =>
  Object.fromEntries(Object.entries(specs).filter(([name]) => isChosen(name)));

function centerSpecs({ centering, heads }: PretrainOptions): Record<string, Spec> {
  if (centering === 'sinkhorn_knopp') return {};
  const centers = (loss: LossName, { levels }: HeadConfig) =>
    levels.map(({ prototypes }, i) => [centerName(loss, i), f32(prototypes)] as const);
  return Object.fromEntries([...centers('dino', heads.dino), ...centers('ibot', heads.ibot ?? heads.dino)]);
}

const f32 = (...shape: number[]): Spec => ({ shape, dtype: 'f32' });
