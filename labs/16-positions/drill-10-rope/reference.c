#include "rope.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Turn one head's vector x [D]; cosine and sine [D/2] belong to its position. */
static void turn(float *out, const float *x, const float *cosine, const float *sine,
                 enum rope_layout layout, int D)
{
    const int half = D / 2;
    for (int j = 0; j < D; j++) {
        //: layouts-swapped
        //| const int neighbours = layout == ROPE_HALF_SPLIT;
        //: right
        const int neighbours = layout == ROPE_INTERLEAVED;
        //: end
        const int first = neighbours ? j % 2 == 0 : j < half;
        const int partner = neighbours ? j ^ 1 : first ? j + half : j - half;
        //: angle-repeated
        //| const int pair = neighbours ? j % half : j / 2;
        //: right
        const int pair = neighbours ? j / 2 : j % half;
        //: end
        const float crossed = first ? -x[partner] : x[partner];
        //: turned-back
        //| out[j] = x[j] * cosine[pair] - crossed * sine[pair];
        //: right
        out[j] = x[j] * cosine[pair] + crossed * sine[pair];
        //: end
    }
}

void rope(float *q, float *k, float *v, const float *qkv, int offset, float base,
          enum rope_layout layout, int B, int T, int H, int D)
{
    const size_t width = (size_t)H * (size_t)D;
    float *cosine = malloc((size_t)D * sizeof *cosine), *sine = cosine + D / 2;

    for (int t = 0; t < T; t++) {
        //: offset-ignored
        //| const int position = t;
        //: right
        const int position = offset + t;
        //: end
        for (int i = 0; i < D / 2; i++) {
            //: wrong-exponent
            //| const double angle = position * pow(base, -(double)i / D);
            //: right
            const double angle = position * pow(base, -2.0 * i / D);
            //: end
            cosine[i] = (float)cos(angle);
            sine[i] = (float)sin(angle);
        }
        for (int b = 0; b < B; b++) {
            const size_t row = (size_t)b * (size_t)T + (size_t)t;
            for (int h = 0; h < H; h++) {
                const size_t head = (size_t)h * (size_t)D, to = row * width + head;
                const float *from = qkv + 3 * row * width + head;
                turn(q + to, from, cosine, sine, layout, D);
                //: layouts-mixed
                //| turn(k + to, from + width, cosine, sine, ROPE_HALF_SPLIT, D);
                //: right
                turn(k + to, from + width, cosine, sine, layout, D);
                //: end
                //: v-turned
                //| turn(v + to, from + 2 * width, cosine, sine, layout, D);
                //: right
                memcpy(v + to, from + 2 * width, (size_t)D * sizeof *v);
                //: end
            }
        }
    }
    free(cosine);
}
