#include "doubled.h"

void doubled(float *out, const float *x, int n) {}
