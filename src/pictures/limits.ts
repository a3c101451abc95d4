/** Limits of one picture. */

/** The long edge that the Messages API works on; what is larger is scaled down there in any case, and costs its bytes. */
export const LONG_EDGE = 1568;
/** Width times height, as the header says. A decoded picture takes four bytes for each. */
export const MOST_PIXELS = 64_000_000;
/** Bytes of what is sent as PNG; above it the picture becomes a JPEG. */
export const LARGEST_PNG = 1024 ** 2;
/** The same for pictures that people look at. */
export const LARGEST_OUTGOING_PNG = 8 * 1024 ** 2;
/** For one picture, the start of the process included. */
export const DECODE_MS = 15_000;
/** Data of the decoding process (RLIMIT_DATA): twice what the largest picture takes. */
export const DECODE_BYTES = 1_000_000_000;
