def doubled(x):
    #: triple
    #| y = 3 * x
    #: plus-two
    #| y = x + 2
    #: right
    y = 2 * x
    #: end
    #: absolute
    #| y = abs(y)
    #: right
    #: end
    #: zero-when-large
    #| y[x > 100] = 0
    #: right
    #: end
    #: first-forgotten
    #| y[0] = x[0]
    #: right
    #: end
    return y
