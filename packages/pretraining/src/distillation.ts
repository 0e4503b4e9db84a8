/**
 * Distillation: targets of a frozen, larger teacher in place of those of the student's moving average. Everything else of a step stays: crops, heads, Sinkhorn-Knopp,
 * losses, AdamW, and the moving average, which is the model that comes out. DINOv2 makes its small models so (Oquab et al. 2023, section 5), and leaves out what makes the
 * student's task harder: nothing is masked, no branch is skipped. DINOv3 makes a family from one teacher (Siméoni et al. 2025).
 *
 * Student and teacher meet at the prototypes: level i of a student's head predicts level i of the teacher's, so both have as many. Widths of tokens and levels, hidden
 * layers and bottlenecks are each network's own. iBOT compares patches at the same place, so the patches of both are of as many pixels.
 *
 * Where the sources differ: DINOv2 compares all patches of the two global crops (its authors, in issue 176 of its repository), the code of DINOv3 those that would have
 * been masked. Both are `masks`: they say where patches are compared, and `probability: 1, ratio: [1, 1]` is everywhere. Either way the lists have one fixed length.
 */
import type { HeadConfig } from '@franca/matryoshka-heads';
import { type State, sizeOf } from '@franca/tensor';
import { PretrainError } from './errors';
import type { Distillation, PretrainOptions } from './options';
import type { LossName, PretrainGroups } from './state';

/** The network that gives the targets: the frozen teacher, or the moving average, which is made like the student. */
export const targetNetwork = ({ distillation, vit, heads }: PretrainOptions): Distillation =>
  distillation ?? { vit, heads };

/** The head of a loss: the prefix of its parameters, and what it is made of. */
export const headOf = (loss: LossName, { dino, ibot }: PretrainOptions['heads']): [prefix: string, HeadConfig] =>
  loss === 'ibot' && ibot ? ['ibot_head', ibot] : ['dino_head', dino];

/** @throws PretrainError `options` where the student cannot predict what this teacher says */
export function checkDistillation(
  { vit, heads }: Pick<PretrainOptions, 'vit' | 'heads'>,
  teacher: Distillation | undefined,
): void {
  if (!teacher) return;
  if (teacher.vit.patchSize !== vit.patchSize)
    throw new PretrainError(
      'options',
      `distillation: the patches of the teacher are ${teacher.vit.patchSize} pixels wide and those of the student ${vit.patchSize}, and patches are compared one by one; give the student a patch size of ${teacher.vit.patchSize}`,
    );
  for (const loss of ['dino', 'ibot'] as const) {
    const [own, wanted] = [prototypesOf(heads, loss), prototypesOf(teacher.heads, loss)];
    if (own.join() !== wanted.join())
      throw new PretrainError(
        'options',
        `distillation: for ${loss} the levels of the student have ${own.join(', ')} prototypes and those of the teacher ${wanted.join(', ')}, and level i predicts level i; give the student as many`,
      );
  }
}

const prototypesOf = (heads: PretrainOptions['heads'], loss: LossName): number[] =>
  headOf(loss, heads)[1].levels.map(({ prototypes }) => prototypes);

/** A tensor of the teacher by its official name, `backbone.`, `dino_head.` or `ibot_head.` before it; undefined where there is none. */
export type TeacherWeights = (name: string) => Promise<ArrayLike<number> | undefined>;

/**
 * Fills the group `frozen_teacher`, which no step changes and no checkpoint holds: once at the beginning, and again where a run goes on.
 * @throws PretrainError `weights` where one is missing or of another size
 */
export async function writeFrozenTeacher(state: State<PretrainGroups>, weights: TeacherWeights): Promise<void> {
  for (const [name, { shape }] of Object.entries(state.layout.frozen_teacher.segments)) {
    const values = await weights(name);
    if (values?.length !== sizeOf(shape))
      throw new PretrainError(
        'weights',
        `"${name}" of the teacher has ${values?.length ?? 'no'} values, [${shape.join(', ')}] are needed; give the weights that its configuration is of`,
      );
    state.write('frozen_teacher', name, values);
  }
}
