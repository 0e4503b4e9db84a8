/** ADE20K (ADEChallengeData2016): images and annotations, each with training and validation; values 1 to 150 are classes, 0 is unlabelled. */
import type { FileTree } from '@franca/data';
import type { LayoutPart, SegmentationLayout } from './segmentation-layout';
import { findPairs, hasPart } from './segmentation-pairs';

const NAMES: readonly string[] = `
wall,building,sky,floor,tree,ceiling,road,bed,windowpane,grass,cabinet,sidewalk,person,earth,door,table,mountain,plant,curtain,chair,car,water,painting,
sofa,shelf,house,sea,mirror,rug,field,armchair,seat,fence,desk,rock,wardrobe,lamp,bathtub,railing,cushion,base,box,column,signboard,chest of drawers,
counter,sand,sink,skyscraper,fireplace,refrigerator,grandstand,path,stairs,runway,case,pool table,pillow,screen door,stairway,river,bridge,bookcase,
blind,coffee table,toilet,flower,book,hill,bench,countertop,stove,palm,kitchen island,computer,swivel chair,boat,bar,arcade machine,hovel,bus,towel,
light,truck,tower,chandelier,awning,streetlight,booth,television receiver,airplane,dirt track,apparel,pole,land,bannister,escalator,ottoman,bottle,
buffet,poster,stage,van,ship,fountain,conveyer belt,canopy,washer,plaything,swimming pool,stool,barrel,basket,waterfall,tent,bag,minibike,cradle,oven,
ball,food,step,tank,trade name,microwave,pot,animal,bicycle,lake,dishwasher,screen,blanket,sculpture,hood,sconce,vase,traffic light,tray,ashcan,fan,
pier,crt screen,plate,monitor,bulletin board,shower,radiator,glass,clock,flag`
  .replaceAll('\n', '')
  .split(',');

const INFO = 'objectInfo150.txt';
const folders = (split: string) => ({ split, images: `images/${split}`, masks: `annotations/${split}` });
const PUBLISHED: Readonly<Record<string, number>> = { training: 20_210, validation: 2_000 };

export const ADE20K: SegmentationLayout = {
  name: 'ade20k',
  looks: 'ADE20K (images/training, annotations/training, ...)',
  isHere: (tree) => hasPart(tree, folders('training')) || hasPart(tree, folders('validation')),
  async open(tree) {
    const partOf = async (split: string): Promise<LayoutPart | undefined> =>
      hasPart(tree, folders(split))
        ? { ...(await findPairs(tree, folders(split))), published: PUBLISHED[split]! }
        : undefined;
    const [train, val] = [await partOf('training'), await partOf('validation')];
    const { names, notes } = await classNames(tree);
    return {
      dataset: 'ade20k',
      classes: ['unlabelled', ...names],
      ignore: 0,
      ...(train && { train }),
      ...(val && { val }),
      missing: ['training', 'validation']
        .flatMap((split) => [`images/${split}`, `annotations/${split}`])
        .filter((folder) => tree.names(folder).length === 0),
      notes,
    };
  },
};

/** Names of the 150 classes: those that lie with the data, else as published; the first of several for one class. */
async function classNames(tree: FileTree): Promise<{ readonly names: readonly string[]; readonly notes: string[] }> {
  if (!tree.has(INFO)) return { names: NAMES, notes: [] };
  const rows = Buffer.from(await tree.read(INFO))
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => line.split('\t').map((cell) => cell.trim()))
    .filter((cells) => /^\d+$/.test(cells[0]!));
  const firsts = rows.map((cells) => cells.at(-1)!.split(',')[0]!.trim());
  // where the first name is that of several classes, all names are given
  const names = firsts.map((name, at) =>
    firsts.indexOf(name) === firsts.lastIndexOf(name) ? name : rows[at]!.at(-1)!,
  );
  const inOrder = rows.every(([number], at) => Number(number) === at + 1);
  if (inOrder && names.length === NAMES.length && names.every(Boolean)) return { names, notes: [] };
  return {
    names: NAMES,
    notes: [`${INFO} does not name classes 1 to ${NAMES.length} in order, one a line; their published names are used`],
  };
}
