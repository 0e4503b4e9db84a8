/**
 * The coarse classes of COCO that the dense evaluations are scored on: 15 kinds of stuff and 12 of things, each a supercategory, in the order of the
 * alphabet. Everything else, "other" and what is not labelled, is not scored.
 *
 * COCO's own files name the categories; where they lie with the data, they are compared with what stands here.
 */
import { TrainError } from '../errors';
import { VOID } from './mask-values';

export type CocoKind = 'stuff' | 'things';

/** A category as COCO's files have it. */
export interface CocoCategory {
  readonly id: number;
  readonly supercategory: string;
  /** Of panoptic annotations: 1 for things. */
  readonly isthing?: number | undefined;
}

/** Numbers of the categories of each class. */
const STUFF: Readonly<Record<string, string>> = {
  building: '95 96 128 151 158 166',
  ceiling: '102 103',
  floor: '101 114-118',
  'food-stuff': '121 122 153 170',
  'furniture-stuff': '98 107 108 110 112 123 130 133 156 161 165',
  ground: '111 125 126 136 140 144 145 147 149 154 159',
  plant: '94 97 119 124 129 134 142 163 169',
  'raw-material': '100 132 139 143',
  sky: '106 157',
  solid: '127 135 150 160 162 182',
  structural: '99 113 138 146 164',
  textile: '92 93 104 105 109 131 137 141 152 167 168',
  wall: '171-177',
  water: '120 148 155 178 179',
  window: '180 181',
};
const THINGS: Readonly<Record<string, string>> = {
  accessory: '27 28 31-33',
  animal: '16-25',
  appliance: '78-82',
  electronic: '72-77',
  food: '52-61',
  furniture: '62-65 67 70',
  indoor: '84-90',
  kitchen: '44 46-51',
  outdoor: '10 11 13-15',
  person: '1',
  sports: '34-43',
  vehicle: '2-9',
};
/** Stuff of panoptic annotations has numbers up to `LAST_STUFF`, that of stuff annotations up to `OTHER_STUFF`. */
const [FIRST_STUFF, OTHER_STUFF, LAST_STUFF] = [92, 183, 200];

const tableOf = (kind: CocoKind) => (kind === 'stuff' ? STUFF : THINGS);

export const cocoClasses = (kind: CocoKind): readonly string[] => Object.keys(tableOf(kind));

/**
 * Class of each category; `VOID` for those that are not scored. Numbers that no category has are missing: they give away masks that are numbered otherwise,
 * as those of `stuffthingmaps` are, one lower.
 */
export function cocoValues(kind: CocoKind): ReadonlyMap<number, number> {
  const scored = Object.values(tableOf(kind)).flatMap((numbers, c) => numbersOf(numbers).map((id) => [id, c] as const));
  const stuff = Array.from({ length: LAST_STUFF - FIRST_STUFF + 1 }, (_, i) => FIRST_STUFF + i);
  const unscored = kind === 'stuff' ? [0, OTHER_STUFF] : [0, ...stuff];
  return new Map([...[...unscored, 255].map((id) => [id, VOID] as const), ...scored]);
}

/** `1 3-5` as 1, 3, 4, 5. */
const numbersOf = (text: string): number[] =>
  text.split(' ').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number) as [number, number?];
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });

/**
 * Compares the categories of a file with the classes.
 * @throws TrainError `data` where they differ: the classes would not be those of the published protocols
 */
export function checkCategories(kind: CocoKind, categories: readonly CocoCategory[], where: string): void {
  const values = cocoValues(kind);
  const classes = cocoClasses(kind);
  const plain = (name: string): string => name.replaceAll('-', '');
  const relevant = categories.filter(({ id, isthing }) =>
    kind === 'things' ? isthing === 1 : isthing !== 1 && id >= FIRST_STUFF && id !== OTHER_STUFF,
  );
  for (const { id, supercategory } of relevant) {
    const c = values.get(id) ?? VOID;
    const known = c === VOID ? 'none' : classes[c]!;
    if (plain(known) !== plain(supercategory))
      throw new TrainError(
        'data',
        `${where} has category ${id} as "${supercategory}", which is ${known} of the ${classes.length} classes of COCO-${kind === 'stuff' ? 'Stuff' : 'Things'}; ` +
          'take the annotations of the 2017 release',
      );
  }
  const there = new Set(relevant.map(({ id }) => id));
  const lacking = [...values].filter(([id, c]) => c !== VOID && !there.has(id)).map(([id]) => id);
  if (lacking.length > 0)
    throw new TrainError(
      'data',
      `${where} lacks categories of the 2017 release, e.g. ${lacking[0]}; it is damaged or another release`,
    );
}
