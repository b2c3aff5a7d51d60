"""What a model has learnt by heart: the measurements that an audit is made of."""
