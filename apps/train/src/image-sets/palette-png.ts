/** Masks as PNGs with a palette, as DAVIS has them: the index is the id of the object, the colours (PASCAL VOC's) are for people to look at. */
import { vocColour } from '@franca/viz';
import { encode } from 'fast-png';
import type { FrameMask } from './video-set';

const PALETTE = Array.from({ length: 256 }, (_, index) => [...vocColour(index)]);

export const palettePng = ({ size: [height, width], ids }: FrameMask): Uint8Array =>
  encode({ width, height, data: ids, channels: 1, depth: 8, palette: PALETTE });
