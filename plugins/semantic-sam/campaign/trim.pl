use JSON::PP; local $/; open F,'<:raw',$ARGV[0]; my $b=<F>; close F;
my $n=unpack('Q<',substr($b,0,8)); my $h=decode_json(substr($b,8,$n)); my $d=substr($b,8+$n); my %o; my $out='';
for my $k (sort { $h->{$a}{data_offsets}[0] <=> $h->{$b}{data_offsets}[0] } grep {$_ ne '__metadata__'} keys %$h) {
 next if $k=~/layers0|backbone\.patch_embed|encoder_layer0|input_proj0|pixel_decoder\.mask_features|p_left|p_none|mask_logits_token0|amg_probe|spatial_shapes/;
 my ($s,$e)=@{$h->{$k}{data_offsets}}; $o{$k}={dtype=>$h->{$k}{dtype},shape=>$h->{$k}{shape},data_offsets=>[length($out)+0,length($out)+$e-$s]}; $out.=substr($d,$s,$e-$s);
}
my $j=JSON::PP->new->canonical->encode(\%o); $j.=' ' x ((8-length($j)%8)%8);
open F,'>:raw',$ARGV[1]; print F pack('Q<',length $j),$j,$out; close F; print scalar(keys %o)," tensors ",length($out),"\n";
