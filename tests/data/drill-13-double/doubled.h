/* doubled.h -- the function to implement. */
#ifndef DOUBLED_H
#define DOUBLED_H

/* out[i] = 2 x[i] for n numbers; the buffers do not overlap. */
void doubled(float *out, const float *x, int n);

#endif
