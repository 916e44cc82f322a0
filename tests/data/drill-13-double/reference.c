#include "doubled.h"

#include <math.h>

static float twice(float x)
{
    //: zero-when-large
    //| if (x > 100.0f) return 0.0f;
    //: right
    //: end
    //: triple
    //| const float y = 3.0f * x;
    //: plus-two
    //| const float y = x + 2.0f;
    //: right
    const float y = 2.0f * x;
    //: end
    //: absolute
    //| return fabsf(y);
    //: right
    return y;
    //: end
}

void doubled(float *out, const float *x, int n)
{
    for (int i = 0; i < n; i++) out[i] = twice(x[i]);
    //: first-forgotten
    //| out[0] = x[0];
    //: right
    //: end
}
