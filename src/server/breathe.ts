// The server answers everybody from one thread. A large object's request does its work in parts, and others' are answered in between.

/** Resolves when what had arrived meanwhile has been served: after one turn of the event loop. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
