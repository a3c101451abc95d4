import type { Cause } from './cause.ts';
import { FILE_CAUSES } from './file-causes.ts';
import { IMAGE_CAUSES } from './image-causes.ts';
import { KILL_CAUSES } from './kill-causes.ts';
import { LAYOUT_CAUSES } from './layout-causes.ts';

export const CAUSES: Cause[] = [...LAYOUT_CAUSES, ...FILE_CAUSES, ...IMAGE_CAUSES, ...KILL_CAUSES];
