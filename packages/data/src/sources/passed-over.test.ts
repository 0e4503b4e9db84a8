import { expect, it } from 'vitest';
import { isPassedOver } from './passed-over';

it.each([
  '.DS_Store',
  '._cat.jpg',
  'a/._cat.jpg',
  '__MACOSX/a/cat.jpg',
  'a/Thumbs.db',
  'a/ehthumbs.db',
  'desktop.ini',
  '.thumbnails/cat.png',
  '.ipynb_checkpoints/cat.png',
  '.picasaoriginals/cat.jpg',
  '.picasa.ini',
  '@eaDir/cat.jpg/SYNOPHOTO_THUMB_M.jpg',
  '#recycle/cat.jpg',
  '$RECYCLE.BIN/cat.jpg',
  'System Volume Information/cat.jpg',
  'lost+found/cat.jpg',
  'a/.b/c.jpg',
  'a\\._c.jpg',
])('passes over %s', (name) => expect(isPassedOver(name)).toBe(true));

it.each([
  'cat.jpg',
  'a/2024.06.01_0.png',
  './cat.jpg',
  '../cats/1.jpg',
  'a_.b/c.jpg',
  'macosx/a.jpg',
  'recycled/1.jpg',
])('takes %s', (name) => expect(isPassedOver(name)).toBe(false));
